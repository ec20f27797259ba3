"""A picture that remembers how it was attacked: put back on the page, refused in one sentence, never run."""

import json
import math
import struct
import zlib
from contextlib import suppress
from dataclasses import asdict, replace

import pytest
import torch
from app_page import open_page, problems, story
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.attacks import Greedy, SparseAttack
from explorer.classifiers import load_classifier
from explorer.images import load_image, png, to_png
from explorer.pipeline import explore, query_of, restorable, settings_of
from explorer.pipeline.restoring import KEYWORD
from explorer.regions import Region
from explorer.samples import find_sample
from explorer.ui import runs

QUICK = SparseAttack(steps=20, lam=0.73, polish=False)


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Runs start by themselves."""
    monkeypatch.setattr(runs, "PATIENCE", math.inf)
    monkeypatch.setattr(runs, "UNASKED", math.inf)


@pytest.fixture(scope="module")
def told():
    clf, sample = load_classifier("signs-cnn", device="cpu"), find_sample("no-entry-1")
    region = Region.box((64, 64), 0, 0, 64, 50)
    return explore(
        clf, sample.image, QUICK, label=sample.label, target=0, region=region, stage="optimised", method="saliency"
    )


def test_it_is_a_picture_that_remembers_everything(told):
    content = restorable(told)
    assert torch.equal(load_image(content), told.image)
    found = settings_of(content)
    assert (found.network, found.attack, found.method) == ("signs-cnn", QUICK, "saliency")
    assert (found.target, found.true, found.optimised) == ("Stop", "No entry", True)
    assert found.region == told.region
    assert settings_of(to_png(told.image)) is None
    assert settings_of(b"GIF89a") is None


def changed(content: bytes, **new) -> bytes:
    known = json.loads(png.text_of(content, KEYWORD)) | new
    return png.with_text(to_png(load_image(content)), KEYWORD, json.dumps(known))


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ({"format": 2}, "another version"),
        ({"extra": 1}, "another version"),
        ({"network": "nowhere"}, "no classifier 'nowhere'"),
        ({"network": ["signs-cnn"]}, "not of the kind"),
        ({"network": "own:../../etc/passwd"}, "no classifier"),
        ({"network": "/etc/secret.safetensors"}, "no classifier"),
        ({"network": "own:../secret.safetensors"}, "no classifier"),
        ({"network": r"\\example.com\share\x.safetensors"}, "no classifier"),
        ({"attack": "__class__"}, "not known here"),
        ({"attack": ["sparse"]}, "not of the kind"),
        ({"method": "nothing"}, "not known here"),
        ({"settings": {}}, "other settings"),
        ({"settings": asdict(replace(QUICK)) | {"lam": "1"}}, "lam must"),
        ({"settings": asdict(replace(QUICK)) | {"steps": 10**9}}, "steps must"),
        ({"settings": asdict(replace(QUICK)) | {"a": None}}, "a must"),
        ({"settings": asdict(replace(QUICK)) | {"a": 10**400}}, "not of the kind"),
        ({"region": "9999x9999.AAAA"}, "A region"),
        ({"region": "64x64.AAAA"}, "region's text is damaged"),
        ({"target": 3}, "not of the kind"),
        ({"optimised": "yes"}, "not of the kind"),
        ({"picture": "0"}, "was changed after"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_does_not_fit_is_one_sentence(told, new, message):
    with pytest.raises(ValueError, match=message) as refused:
        settings_of(changed(restorable(told), **new))
    assert str(refused.value).count("\n") == 0


def chunk(length: int, text: bytes) -> bytes:
    return struct.pack(">I", length) + text + struct.pack(">I", zlib.crc32(text))


@pytest.mark.parametrize(
    "body",
    [
        chunk(2**31 - 1, b"tEXt" + KEYWORD.encode() + b"\0{}"),
        chunk(3, b"tEXt" + KEYWORD.encode() + b"\0{}"),
        chunk(25, b"tEXt" + KEYWORD.encode() + b"\0{}")[:-1] + b"?",
        chunk(len(KEYWORD) + 1 + 200_000, b"tEXt" + KEYWORD.encode() + b"\0" + b"[" * 200_000),
    ],
    ids=["a size that is not there", "too short", "a wrong checksum", "a deep nest"],
)
def test_damaged_text_is_one_sentence_and_declared_sizes_are_not_trusted(told, body):
    picture = to_png(told.image)
    with pytest.raises(ValueError, match="are damaged"):
        settings_of(picture[:33] + body + picture[33:])


@pytest.fixture(scope="module")
def content(told):
    return restorable(told)


@given(st.binary(max_size=200), st.integers(0, 120))
@settings(deadline=None)
def test_no_bytes_do_anything_but_restore_or_refuse(content, junk, place):
    for bytes_ in (content[:place] + junk + content[place + len(junk) :], content[: place + len(junk)], junk):
        with suppress(ValueError):
            assert settings_of(bytes_) in (None, settings_of(content))


def test_whole_numbers_of_other_programs_are_numbers(told):
    content = changed(restorable(told), settings=asdict(QUICK) | {"lam": 1, "max_change": 1})
    assert settings_of(content).attack == replace(QUICK, lam=1.0)


def test_uploaded_it_puts_back_picture_and_settings(told):
    app = open_page(steps="25", a="0.2").segmented_control(key="source").set_value("Upload").run()
    app.file_uploader(key="upload").set_value(("restore *x*.png", restorable(told), "image/png")).run()
    assert problems(app) == []
    assert story(app) == told.story
    assert app.selectbox(key="network_choice").value == "signs-cnn"
    assert app.session_state["session"].answered.attack == QUICK
    shown = app.session_state["session"].shown
    assert (shown.true_label, shown.target, shown.stage, shown.region) == (
        told.true_label,
        told.target,
        "optimised",
        told.region,
    )
    assert shown.evidence.method == "saliency"
    assert torch.equal(shown.adversarial, told.adversarial)
    assert any("has put its settings back" in each.value for each in app.caption)
    app.slider(key="steps").set_value(30).run()
    assert app.session_state["session"].answered.attack == replace(QUICK, steps=30), "and they can be turned again"


def test_another_attack_comes_back_with_its_own_settings(told):
    greedy = replace(told, attack=Greedy(steps=12, swaps=3, max_pixels=40), region=None, target=None, stage="pruned")
    app = open_page(where="Inside the drawn region", target="Yield")
    app.segmented_control(key="source").set_value("Upload").run()
    app.file_uploader(key="upload").set_value(("restore.png", restorable(greedy), "image/png")).run()
    assert problems(app) == []
    asked = app.session_state["session"].answered
    assert (asked.attack, asked.region, asked.target) == (greedy.attack, None, None)


def test_what_no_control_can_be_put_to_is_said(told):
    few = replace(told, attack=Greedy(steps=7, polish=False), region=None, target=None)
    app = open_page().segmented_control(key="source").set_value("Upload").run()
    app.file_uploader(key="upload").set_value(("restore.png", restorable(few), "image/png")).run()
    assert any("the nearest that can be is used for steps (10 for 7)." in each.value for each in app.caption)
    assert app.session_state["session"].answered.attack == replace(few.attack, steps=10)


def test_a_changed_file_is_one_sentence_and_its_picture_is_shown(told):
    bad = changed(restorable(told), network="nowhere <b>")
    app = open_page().segmented_control(key="source").set_value("Upload").run()
    app.file_uploader(key="upload").set_value(("restore.png", bad, "image/png")).run()
    (told_,) = problems(app)
    assert told_.startswith("restore.png: The settings in this file cannot be used: There is no classifier")
    assert story(app).startswith("No entry, ")


@pytest.mark.parametrize("attack", [QUICK, Greedy(steps=12, polish=False)], ids=["sparse", "greedy"])
def test_the_address_of_a_run_shows_the_same_run(attack):
    clf, sample = load_classifier("signs-cnn", device="cpu"), find_sample("stop-1")
    region = Region.box((64, 64), 0, 0, 64, 50)
    wanted = explore(clf, sample.image, attack, label=sample.label, target=3, region=region, method="saliency")
    query = query_of(wanted, "stop-1")
    app = open_page(**{"steps": query.pop("steps", "100"), "polish": query.pop("polish", "true"), **query})
    assert problems(app) == []
    shown = app.session_state["session"].shown
    assert shown.attack == attack
    assert shown.same_attack(wanted)
    assert shown.evidence.method == "saliency"


def test_the_page_offers_the_kit_and_makes_it_only_when_it_is_asked_for(monkeypatch):
    made = []
    monkeypatch.setattr("explorer.ui.downloads.paper_kit", lambda *given: made.append(given) or b"")
    app = open_page(picture="coffee", lam="0.7")
    offered = {each.proto.label for each in app.get("download_button")}
    assert {"Paper kit (ZIP)", "Restore file (PNG)", "Python (PY)"} <= offered
    assert made == []
