"""Networks in Python that whoever starts the server names: loaded once, known by content, refused in a sentence."""

import json
import sys

import pytest
import torch
from own_networks import python_file

from explorer.classifiers import find_card, load_classifier, registered_cards
from explorer.classifiers.registered import VARIABLE, _cards
from explorer.hashes import network_sha256
from explorer.locks import read_only_twin

IMAGE = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))

LINEAR = "import torch\ndef load():\n    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear({}, {}))\n"
SIZED = "    net.input_size = 8\n    return net\n"


@pytest.fixture
def name_them(monkeypatch):
    """Start "the server" with these networks."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def start(*named: str) -> list:
        monkeypatch.setenv(VARIABLE, json.dumps(named))
        return registered_cards()

    yield start
    _cards.cache_clear()


def test_a_network_is_loaded_once_and_is_a_classifier_like_any_other(name_them, tmp_path):
    counting = python_file(
        tmp_path,
        """
from pathlib import Path
from explorer import load_classifier

calls = Path(__file__).with_suffix(".calls")

def load():
    calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
    clf = load_classifier("signs-cnn", device="cpu")
    clf.train().requires_grad_(True)
    return clf
""",
        "counting",
    )
    (card,) = name_them(f"{counting}:load")
    assert (card.dataset, card.input_size, card.source, card.ones_own) == ("signs", (64, 64), "python", True)
    assert card.name.startswith("py:counting.load-")
    assert card.title.startswith("Yours: counting:load (")
    assert card.available
    assert card.attack_bytes > 4 * card.parameters > 0
    loaded = load_classifier(card.name, device="cpu")
    assert loaded is not load_classifier(card.name, device="cpu"), "each call returns a module of its own"
    assert torch.equal(loaded(IMAGE), load_classifier("signs-cnn", device="cpu")(IMAGE))
    assert torch.equal(read_only_twin(loaded)(IMAGE), loaded(IMAGE))
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert (tmp_path / "counting.calls").read_text() == "x"


def test_it_is_known_by_its_content(name_them, tmp_path):
    names = set()
    for number, seed in enumerate((0, 1, 0)):
        (tmp_path / str(number)).mkdir()
        file = python_file(
            tmp_path / str(number),
            f"{LINEAR.format(192, 4)}    torch.manual_seed({seed})\n    net[1].reset_parameters()\n{SIZED}",
            "same",
        )
        with torch.random.fork_rng():
            (card,) = name_them(f"{file}:load")
        names.add(card.name)
    assert len(names) == 2, "the third has the content of the first"
    with pytest.raises(ValueError, match="No network 'py:other-1' was named when this server was started"):
        find_card("py:other-1")


def test_functions_without_weights_are_told_apart_by_their_files(name_them, tmp_path):
    text = "def see(images):\n    return images.mean((2, 3)) * {}\nsee.input_size = 8\ndef load():\n    return see\n"
    digests, names = set(), set()
    for factor in (1, 2):
        file = python_file(tmp_path, text.format(factor), f"box{factor}")
        (card,) = name_them(f"{file}:load")
        digests.add(network_sha256(card.load()))
        names.add(card.name.partition("-")[2])
    assert len(digests) == len(names) == 2


def test_a_function_sees_its_pictures_on_the_cpu_whatever_the_device(name_them, tmp_path):
    text = "def see(images):\n    assert images.device.type == 'cpu'\n    return images.mean((2, 3))\n"
    file = python_file(tmp_path, f"{text}see.input_size = 8\ndef load():\n    return see\n", "box")
    (card,) = name_them(f"{file}:load")
    assert card.load()(torch.rand(2, 3, 8, 8)).shape == (2, 3)
    if torch.cuda.is_available():
        assert load_classifier(card.name, device="cuda")(torch.rand(2, 3, 8, 8).cuda()).is_cuda


def test_two_of_one_name_are_both_offered(name_them, tmp_path):
    named = []
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        text = LINEAR.format(192, 2 + number)
        named.append(python_file(tmp_path / str(number), text + SIZED, "twin") + ":load")
    first, second = name_them(*named)
    assert first.name != second.name
    assert first.title != second.title
    assert [len(card.load().class_names) for card in (first, second)] == [3, 4]


def test_where_nothing_tells_the_size_one_that_works_is_taken_and_said(name_them, tmp_path):
    (card,) = name_them(python_file(tmp_path, f"{LINEAR.format(3 * 32 * 32, 4)}    return net\n", "sized") + ":load")
    assert card.input_size == (32, 32)
    assert "pictures of 32 × 32 pixels are taken" in card.load().remark
    with pytest.raises(ValueError, match=r"sizeless.py:load: the network must take pictures of shape \(b, 3, 32, 32\)"):
        name_them(python_file(tmp_path, f"{LINEAR.format(75, 4)}    return net\n", "sizeless") + ":load")


BODY = "import torch\nfrom torch import nn\n{}\n"
BAD = {
    "missing file": (None, "There is no file"),
    "missing function": ("x = 1", "has no function load"),
    "raises at import": ("raise KeyError('two\\nlines')", "line 3: KeyError"),
    "syntax": ("def load(:", "SyntaxError"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "raises": ("def load():\n    return 1 / 0", "line 4: ZeroDivisionError: division by zero"),
    "no module": ("def load():\n    return 3", "must return a torch module, or a function of pictures; got int"),
    "nothing": ("def load():\n    pass", "got NoneType"),
    "needs arguments": ("def load(path):\n    pass", "TypeError"),
    "probabilities": (
        "def load():\n    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Softmax(1))",
        "leave the softmax out",
    ),
    "one output": (
        "def load():\n    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))",
        r"logits of shape \(b, k\) with k >= 2",
    ),
    "not finite": ("def load():\n    return lambda images: images.mean((2, 3)) / 0", "finite logits"),
    "chance": ("def load():\n    return lambda images: torch.randn(len(images), 4)", "same picture the same logits"),
    "too few names": (
        "def load():\n    f = lambda images: images.mean((2, 3))\n    f.class_names = ['a']\n    return f",
        "classes",
    ),
    "other names": (
        "def load():\n    f = lambda images: images.mean((2, 3))\n    f.class_names = list('abcd')\n    return f",
        "carries 4 class_names, but returns 3 logits",
    ),
    "names of lines": (
        "def load():\n    f = lambda x: x.mean((2, 3))\n    f.class_names = ['a', 'b\\nc', 'd']\n    return f",
        "is one line of",
    ),
    "cannot be moved": (
        "class Net(nn.Module):\n    def to(self, *given):\n        raise KeyError('two\\nlines')\nload = Net",
        r"load: KeyError: 'two\\nlines'",
    ),
    "cannot be copied": (
        "import threading\ndef load():\n    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
        "    net.guard = threading.Lock()\n    return net",
        "cannot be copied",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_offered_is_one_sentence_that_names_it(kind, name_them, tmp_path):
    text, says = BAD[kind]
    stem = f"bad_{kind.replace(' ', '_')}"
    file = str(tmp_path / f"{stem}.py") if text is None else python_file(tmp_path, BODY.format(text), stem)
    with pytest.raises(ValueError, match=says) as refused:
        name_them(f"{file}:load")
    assert f"{stem}.py" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_same_network_twice_is_a_sentence(name_them, tmp_path):
    named = python_file(tmp_path, name="once") + ":bare"
    with pytest.raises(ValueError, match="was named twice"):
        name_them(named, named)


@pytest.mark.parametrize("text", ["{", "{}", '"a.py:load"', "[1]", '["a.py"]'])
def test_a_variable_that_makes_no_sense_is_a_sentence(text, monkeypatch):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ValueError, match="EXPLORER_NETWORKS holds a JSON list"):
        registered_cards()
