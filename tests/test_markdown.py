"""Text from a file, a link or a name is shown as it is: never as a link, a picture, a formula, an icon or a colour."""

import ast
import re
from pathlib import Path

import pytest
from app_page import open_page, shown
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from explorer.classifiers.class_names import MAX_LENGTH, checked
from explorer.figures import top_classes
from explorer.ui.classes import distinct
from explorer.ui.markdown import plain

ROOT = Path(__file__).parents[1]

MARKUP = {
    "link": "[Log in again](http://example.invalid)",
    "picture": "![x](http://example.invalid/x.png)",
    "autolink": "<http://example.invalid>",
    "bare link": "http://example.invalid",
    "bare link, secure": "HTTPS://example.invalid",
    "www": "www.example.invalid",
    "mail": "me@example.invalid",
    "reference": "[x][y]",
    "html": "<b>x</b><script>alert(1)</script>",
    "entity": "&lt;b&gt; &#60;",
    "bold": "**x** __x__ *x* _x_",
    "code": "`x` ``x``",
    "strike": "~~x~~",
    "formula": "$x^2$ $$x$$",
    "colour": ":red[x] :blue-background[x] :green-badge[x]",
    "small": ":small[x]",
    "icon": ":material/home: :streamlit:",
    "emoji": ":smile: :+1:",
    "heading": "# x",
    "list": "- x",
    "numbered": "1. x",
    "other numbered": "12) x",
    "quote": "> x",
    "table": "| x | y |",
    "backslash": "\\*x\\* C:\\dir\\[x]",
    "lines": "x\n\n# y\r\n- z\u2028w\tv",
    "control": "a\x00b\x1bc",
}


def live(markdown: str) -> list[str]:
    """What of it markdown, as Streamlit extends it, would interpret."""
    escaped = re.sub(r"\\[!-/:-@\[-`{-~]", ",", markdown)  # a letter that stands for itself
    syntax = r"[`*\[\]<>$~|&\\\n\r]|(?<![^\W_])_|_(?![^\W_])|:[A-Za-z]|^(#|\+|-|\d+[.)])"
    after = r"(?i)https?://|www\.|[-.\w+]@|:material/|:[\w+-]+:"  # found in what is left once backslashes have gone
    return [found[0] for found in (*re.finditer(syntax, escaped), *re.finditer(after, shown(markdown)))]


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_markup_is_shown_as_it_was_written(text):
    assert live(plain(text)) == []
    visible = shown(plain(text)).replace("\N{WORD JOINER}", "")
    assert visible == "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))


@given(st.text(st.sampled_from("ab1 _*[]()<>`~$:!#+-.\\|&@/\n"), max_size=40))
def test_no_mixture_of_marks_means_anything(text):
    assert live(plain(text)) == []


def test_ordinary_words_stay_as_they_are():
    for text in ("Stop, 99 % → Speed limit 80, 71 %, by 5 of 4,096 pixels", "own_weights: 3.5 (2.1 to 4)", "a's b-c!"):
        assert plain(text) == text


def test_no_error_reaches_the_page_as_markdown():
    """str(error) of a message box, or the bare error in an f-string: its text may be anybody's."""
    boxes = {"error", "warning", "info", "success", "caption", "markdown", "header", "write"}
    found = []
    for file in (*(ROOT / "explorer" / "ui").rglob("*.py"), *(ROOT / "explorer" / "views").glob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            box = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in boxes
            said = ast.unparse(call.args[0]) if box and call.args else ""
            if re.search(r"(?<!plain\()\b(str\(|error\b(?!\)))|class_names", said) and "plain(" not in said:
                found.append(f"{file.name}:{call.lineno}: {said}")
    assert found == []


def markdown_of(app: AppTest) -> list[str]:
    return [each.value for kind in (app.error, app.caption, app.info, app.header, app.markdown) for each in kind]


def test_a_link_to_the_tune_page_shows_no_picture():
    app = AppTest.from_file("../app.py", default_timeout=120)
    app.query_params["values_a"] = MARKUP["picture"]
    app.switch_page("explorer/views/tune.py").run()
    (error,) = app.error
    assert MARKUP["picture"] in shown(error.value).replace("\N{WORD JOINER}", "")
    assert live(error.value) == []


def test_classes_of_ones_own_are_no_markup(tmp_path, monkeypatch):
    name = "[Log in again](http://example.invalid) :red[x] $x$"
    classes = [f"{name} {number}" for number in range(18)]
    weights = (ROOT / "assets" / "signs-cnn.safetensors").read_bytes()
    (tmp_path / "hostile.safetensors").write_bytes(weights)
    (tmp_path / "hostile.json").write_text(f'{{"architecture": "signs-cnn", "classes": {classes}}}'.replace("'", '"'))
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    app = open_page(network="own:hostile")
    told = [each for each in markdown_of(app) if "Log in again" in each]
    assert len(told) >= 2, "the story and the caption"
    assert not any("[Log in again](" in each or ":red[" in each or "$x$" in each for each in told)


def test_labels_of_a_figure_are_no_markup():
    figure = top_classes(['<a href="http://example.invalid">x</a>', "R&B"], [0.5, 0.5], [0.5, 0.5])
    assert list(figure.data[0].y) == ['&lt;a href="http://example.invalid"&gt;x&lt;/a&gt;', "R&amp;B"]


NO_NAMES = {
    "a text": "cat",
    "a number": [1, 2],
    "nothing": ["a", ""],
    "blank": ["a", "  "],
    "two lines": ["a", "b\nc"],
    "a control": ["a", "\x1b[2J"],
    "half a letter": ["a", "\ud800"],
    "a line's end": ["a", "b\u2028"],
    "long": ["a", "b" * (MAX_LENGTH + 1)],
    "one": ["a"],
    "none": None,
    "a mapping": {"a": 1, "b": 2},
}


@pytest.mark.parametrize("names", NO_NAMES.values(), ids=NO_NAMES)
def test_what_is_no_name_of_a_class_is_a_sentence(names):
    with pytest.raises(ValueError, match=r"^[^\n\x1b]*expected[^\n\x1b]*\.$|^The [^\n\x1b]*\.$"):
        checked(names)


@given(st.lists(st.sampled_from(["a", "b", "a (0)", "a (1)", "b (1)"]), min_size=2, max_size=6))
def test_classes_can_always_be_told_apart(names):
    assert len({*distinct(names)}) == len(names)
