"""Many uploads at once: chosen one by one, attacked together as one job, and taken home as one archive."""

import gc
import io
import math
import zipfile
from pathlib import Path

import pytest
import streamlit as st
from app_page import button, labels, open_page, png, problems, shown, story

from explorer.classifiers.bundled import ASSETS
from explorer.limits import Limits
from explorer.pipeline import FILES, TABLE, collection
from explorer.ui import many, own_pictures, runs
from explorer.ui.many import STATE


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Runs start by themselves."""
    monkeypatch.setattr(runs, "PATIENCE", math.inf)
    monkeypatch.setattr(runs, "UNASKED", math.inf)


def sign(name: str) -> bytes:
    return (ASSETS / "samples" / f"{name}.png").read_bytes()


SIGNS = [(f"{name} *x*.png", sign(name), "image/png") for name in ("stop-1", "yield-1", "no-entry-1")]


def upload(*files: tuple[str, bytes, str]):
    app = open_page(steps="20").segmented_control(key="source").set_value("Upload").run()
    return app.file_uploader(key="upload").set_value([*files]).run()


def attacked_all(app, wanted: int):
    """Wait for the job, then look at the page."""
    run = app.session_state[STATE]
    assert run.job.wait(120)
    assert run.job.error is None
    assert len(run.of.rows) == wanted
    return app.run()


def test_one_picture_is_as_ever():
    app = upload(SIGNS[1])
    assert problems(app) == []
    assert story(app).startswith("Yield, ")
    assert not [label for label in labels(app) if label.startswith("Attack all")]


def test_several_are_attacked_together_and_downloaded_as_one_archive():
    app = upload(*SIGNS, ("large.png", png((300, 200)), "image/png"))
    assert problems(app) == []
    assert story(app).startswith("Stop, "), "the first is shown"
    button(app, "Attack all 4").click().run()
    app = attacked_all(app, 4)
    assert problems(app) == []
    rows = app.session_state[STATE].of.rows
    assert [row["file"] for row in rows] == [*(name for name, *_ in SIGNS), "large.png"]
    assert [row["before"] for row in rows][:3] == ["Stop", "Yield", "No entry"]
    assert all(row["fooled"] for row in rows)
    assert any("4 of 4 pictures fooled" in shown(each.value) for each in app.caption)
    assert "Attack all 4" not in labels(app)
    (table,) = [each.value for each in app.dataframe if "trust" in each.value]
    assert table["pixels"].tolist() == [row["pixels"] for row in rows]
    with zipfile.ZipFile(io.BytesIO(collection.archive(app.session_state[STATE].of.out, rows))) as held:
        assert {*held.namelist()} == {TABLE, *(f"{row['folder']}/{name}" for row in rows for name in FILES)}
        assert [name for name in held.namelist() if "*" in name or ".." in name] == []


def test_another_is_chosen_from_the_strip_and_other_settings_are_another_run():
    app = upload(*SIGNS)
    chosen = [picture.name for picture in app.session_state["own_pictures"].values()][2]
    app.session_state["own_chosen"] = chosen
    app.run()
    assert story(app).startswith("No entry, ")
    button(app, "Attack all 3").click().run()
    attacked_all(app, 3)
    app.selectbox(key="target").set_value("Yield").run()
    assert "Attack all 3" in labels(app)
    assert any("when it was started" in each.value for each in app.caption)
    button(app, "Attack all 3").click().run()
    attacked_all(app, 3)
    rows = app.session_state[STATE].of.rows
    assert "already sees Yield" in rows[1]["problem"]
    assert [row["after"] for row in (rows[0], rows[2])] == ["Yield", "Yield"]


def test_it_can_be_stopped_and_goes_on(monkeypatch):
    advance = many._advance

    def stopped_after_one(job, each):
        more = advance(job, each)
        if len(each.rows) == 1:
            job.cancel()
        return more

    monkeypatch.setattr(many, "_advance", stopped_after_one)
    app = upload(*SIGNS)
    button(app, "Attack all 3").click().run()
    app = attacked_all(app, 1)
    first = app.session_state[STATE].of.rows[0]
    button(app, "Go on").click().run()
    attacked_all(app, 3)
    assert app.session_state[STATE].of.rows[0] is first


def test_too_many_and_broken_ones_are_said_and_the_others_stay(monkeypatch):
    monkeypatch.setattr(own_pictures, "limits", lambda: Limits(pictures=3))
    broken = [(f"bad{number} <b>.png", b"no picture", "image/png") for number in range(2)]
    app = upload(SIGNS[0], *broken, *SIGNS[1:])
    told = " ".join(problems(app))
    assert "5 pictures are too many: the first 3 are taken." in told
    assert "bad0 <b>.png: The file cannot be read as a picture" in told
    assert story(app).startswith("Stop, ")
    assert not [label for label in labels(app) if label.startswith("Attack all")], "one alone is left"


def test_what_another_page_brings_along_is_there_beside_as_many_uploads_as_there_may_be(monkeypatch):
    monkeypatch.setattr(own_pictures, "limits", lambda: Limits(pictures=2))
    told = []
    monkeypatch.setattr(own_pictures.st, "error", told.append)
    monkeypatch.setattr(own_pictures, "carried", lambda: ["brought"])
    monkeypatch.setattr(own_pictures.st, "session_state", {"carried_beside": True})
    assert own_pictures.offered(["one", "two"]) == ["one", "two", "brought"]
    assert not told
    assert own_pictures.offered(["one", "two", "three"]) == ["one", "two", "brought"]
    assert told == ["3 pictures are too many: the first 2 are taken."]


def test_pictures_are_decoded_one_at_a_time_and_kept_in_the_networks_size(monkeypatch):
    app = upload(("a.png", png((900, 700)), "image/png"), ("b.png", png((800, 600)), "image/png"))
    for picture in app.session_state["own_pictures"].values():
        assert picture._kept[1].image.shape == (3, 64, 64)
        assert not [value for value in vars(picture).values() if hasattr(value, "shape")]
    loaded = []
    load = own_pictures.load_pixels
    monkeypatch.setattr(own_pictures, "load_pixels", lambda content: loaded.append(1) or load(content))
    app.run()
    assert loaded == [], "what was seen once is not decoded again"


def test_the_files_go_when_nobody_holds_them():
    app = upload(*SIGNS[:2])
    button(app, "Attack all 2").click().run()
    attacked_all(app, 2)
    out = Path(app.session_state[STATE].of.out)
    assert out.is_dir()
    app.file_uploader(key="upload").set_value(None).run()
    assert STATE not in app.session_state
    st.cache_data.clear()
    gc.collect()
    assert not out.exists()
