"""The Explore page's pictures: where they come from, how they are fitted, and whose labels count."""

import math

import pytest
import streamlit as st
from app_page import (
    button,
    cifar10_card,
    forget_classifiers,
    labels,
    open_page,
    png,
    problems,
    shown,
    story,
    write_cifar10,
)

from explorer.classifiers import CLASSIFIERS
from explorer.fetching import FetchFailed
from explorer.samples import cifar10
from explorer.ui import networks, runs
from explorer.ui.classes import GUESSED, distinct
from explorer.ui.long_runs import long_runs


@pytest.fixture(autouse=True)
def _patient(monkeypatch, tmp_path):
    """Runs start by themselves, and nobody's CIFAR-10 is found."""
    monkeypatch.setattr(runs, "PATIENCE", math.inf)
    monkeypatch.setattr(runs, "UNASKED", math.inf)
    monkeypatch.setenv(cifar10.VARIABLE, str(tmp_path / "cifar10"))
    long_runs.clear()


@pytest.fixture
def cifar10_pictures(tmp_path):
    write_cifar10(tmp_path / "cifar10")


def captions(app) -> str:
    return " ".join(caption.value for caption in app.caption)


def choose(app, source: str):
    return app.segmented_control(key="source").set_value(source).run()


def well(app):
    assert problems(app) == []
    return app


def test_a_photograph_is_fitted_in_plain_view_and_its_class_is_guessed():
    app = well(choose(open_page(), "Photographs"))
    assert "of 4,096 pixels" in story(app)
    assert "451 × 300 pixels. Its middle, 300 × 300, in the frame, is resized to the 64 × 64" in captions(app)
    assert "guessed from the prediction" in captions(app)
    assert app.query_params["picture"] == "chelsea"
    assert app.segmented_control(key="resize").value == "area"
    by_area = story(app)
    app.segmented_control(key="resize").set_value("nearest").run()
    assert story(well(app)) != by_area


def test_a_link_restores_a_photograph_and_how_it_was_resized():
    app = well(open_page(picture="coffee", resize="nearest"))
    assert app.segmented_control(key="source").value == "Photographs"
    assert app.segmented_control(key="resize").value == "nearest"
    assert "600 × 400 pixels" in captions(app)
    assert app.query_params["resize"] == "nearest"


def test_going_back_to_the_signs_shows_the_first_without_a_conversion():
    app = well(choose(open_page(picture="coffee"), "Road signs"))
    assert story(app).startswith("Stop, ")
    assert "picture" not in app.query_params
    assert "resized" not in captions(app)
    assert "guessed" not in captions(app)


def test_a_guessed_class_can_be_corrected_until_the_picture_changes():
    app = open_page(picture="coffee")
    seen = story(app).split(",")[0]
    assert app.selectbox(key="true_class").value == GUESSED
    app.selectbox(key="true_class").set_value(seen).run()
    assert "guessed" not in captions(well(app))
    assert not app.info
    other = "Yield" if seen != "Yield" else "Stop"
    app.selectbox(key="true_class").set_value(other).run()
    (info,) = well(app).info
    assert info.value.startswith(f"The network already gets this picture wrong: the true class is {other}, and")
    again = open_page(picture="coffee", true=other)
    assert again.info[0].value == info.value
    choose(app, "Road signs")
    assert "true" not in app.query_params
    choose(app, "Photographs")
    assert app.selectbox(key="true_class").value == GUESSED
    assert not app.info


def test_a_link_cannot_give_a_sign_another_class():
    app = well(open_page(picture="stop-1", true="Yield"))
    assert not app.info
    assert "true_class" not in {each.key for each in app.selectbox}


def test_the_same_name_twice_can_be_told_apart():
    assert distinct(["crane", "cat", "crane"]) == ["crane (0)", "cat", "crane (2)"]


def test_cifar10_that_is_not_here_is_one_sentence_and_a_button(tmp_path):
    app = well(choose(open_page(), "CIFAR-10"))
    assert story(app).startswith("Stop, "), "until then another picture stays"
    assert f"It would go to {tmp_path / 'cifar10'}" in captions(app)
    assert "Download 170 MB" in labels(app)
    assert not (tmp_path / "cifar10").exists(), "nothing is downloaded unasked"


def test_a_download_that_fails_is_one_sentence(monkeypatch):
    def offline(*_args):
        raise FetchFailed("There is no connection. Put it there yourself.")

    monkeypatch.setattr(cifar10, "download_cifar10", offline)
    app = choose(open_page(), "CIFAR-10")
    button(app, "Download 170 MB").click().run()
    app.run()
    assert not app.exception
    assert [error.value for error in app.error] == ["There is no connection. Put it there yourself."]
    assert "Download 170 MB" in labels(app)


def test_a_download_can_be_stopped(monkeypatch, tmp_path):
    def endless(on_bytes, stopped, folder):
        while not stopped():
            on_bytes(10**6, 10**8)
        return False

    monkeypatch.setattr(cifar10, "download_cifar10", endless)
    app = choose(open_page(), "CIFAR-10")
    button(app, "Download 170 MB").click().run()
    button(app, "Stop").click().run()
    (run,) = long_runs()._kept.values()
    assert run.job.wait(10)
    assert "Download 170 MB" in labels(well(app.run()))


def test_cifar10_is_browsed_by_class_and_by_seed(cifar10_pictures):
    app = well(choose(open_page(), "CIFAR-10"))
    assert "picture" in captions(app)
    assert "32 × 32 pixels. All of it is resized to the 64 × 64" in captions(app)
    first = app.query_params["picture"]
    app.number_input(key="cifar_seed").set_value(5).run()
    app.selectbox(key="cifar_class").set_value("Ship").run()
    assert well(app).query_params["picture"] == first, "what was chosen stays until another is"
    assert "guessed from the prediction" in captions(app), "a network of signs does not know ships"
    app = well(open_page(picture="cifar10-12"))
    assert app.segmented_control(key="source").value == "CIFAR-10"
    assert "picture 12 of" in captions(app)


@pytest.fixture
def cifar10_network(monkeypatch):
    """A network that says it knows CIFAR-10."""
    monkeypatch.setitem(CLASSIFIERS, "cifar-test", cifar10_card())
    yield
    forget_classifiers()
    networks._known.cache_clear()


def test_a_network_of_cifar10_is_shown_its_own_pictures_with_their_labels(cifar10_pictures, cifar10_network):
    app = well(open_page(network="cifar-test"))
    assert app.segmented_control(key="source").value == "CIFAR-10"
    assert "of 1,024 pixels" in story(app)
    assert "resized" not in captions(app)
    assert "guessed" not in captions(app), "the label is known"
    assert "picture" in app.query_params
    app.selectbox(key="world").set_value("signs").run()
    assert well(app).segmented_control(key="source").value == "Road signs"


def test_without_its_pictures_a_network_of_cifar10_is_shown_photographs(cifar10_network):
    app = well(open_page(network="cifar-test"))
    assert app.segmented_control(key="source").value == "Photographs"
    assert "guessed from the prediction" in captions(app)


def test_a_broken_folder_of_cifar10_is_one_sentence(cifar10_pictures, tmp_path):
    (tmp_path / "cifar10" / "tank").mkdir()
    cifar10._folders.cache_clear()
    app = choose(open_page(), "CIFAR-10")
    assert not app.exception
    (error,) = app.error
    assert "tank is no class of CIFAR-10" in error.value
    assert story(app).startswith("Stop, ")


def test_a_file_that_is_too_large_is_refused():
    app = choose(open_page(), "Upload")
    app.file_uploader(key="upload").set_value(("large.png", png() + bytes(10 * 2**20), "image/png")).run()
    assert problems(app) == ["The file has 10 MB; at most 10 are read. Another picture is shown instead."]


def test_what_lies_beside_a_square_is_said_of_a_file_of_ones_own():
    app = choose(open_page(), "Upload")
    app.file_uploader(key="upload").set_value(("mine.png", png((90, 60)), "image/png")).run()
    assert "90 × 60 pixels. Its middle, 60 × 60, in the frame, is resized to the 64 × 64" in captions(well(app))
    assert app.segmented_control(key="resize").value == "nearest"
    assert app.query_params["picture"] == "upload"
    assert "comes with the app" not in captions(app)


@pytest.mark.parametrize("own", ["upload", "camera"])
def test_the_link_of_a_picture_of_ones_own_says_that_it_does_not_hold_it(own):
    app = well(open_page(picture=own))
    assert app.segmented_control(key="source").value == own.capitalize()
    assert "a link cannot hold one" in captions(app)
    assert "Shown until then: **Stop" in captions(app)
    assert "it stays on the computer that runs this app" in str([each.label for each in app.file_uploader]) + str(
        [each.label for each in app.get("camera_input")]
    )
    choose(app, "Road signs")
    assert "comes with the app" not in captions(app)
    assert "picture" not in app.query_params


@pytest.mark.parametrize(
    ("url", "lent"),
    [
        ("http://192.168.0.7:8501/", False),
        ("http://example.org/", False),
        ("https://example.org/", True),
        ("http://localhost:8501/", True),
        ("http://127.0.0.1:8501/", True),
        ("http://[::1]:8501/", True),
        (None, True),
    ],
)
def test_where_no_camera_is_lent_a_picture_is_uploaded(url, lent, monkeypatch):
    monkeypatch.setattr(type(st.context), "url", property(lambda _self: url))
    app = well(choose(open_page(), "Camera"))
    assert bool(app.get("camera_input")) == lent
    assert bool(app.file_uploader) != lent
    assert any("Browsers lend a page the camera" in each.value for each in app.info) != lent


def test_an_upload_is_still_there_after_another_page_and_goes_when_it_is_taken_out():
    app = choose(open_page(), "Upload")
    app.file_uploader(key="upload").set_value(("mine.png", png(), "image/png")).run()
    mine = story(well(app))
    app.switch_page("explorer/views/games.py").run()
    app.switch_page("explorer/views/explore.py").run()
    assert story(well(app)) == mine
    assert any("From before in this visit: **mine.png**" in shown(each.value) for each in app.caption)
    app.file_uploader(key="upload").set_value(("other.png", png((60, 60)), "image/png")).run()
    assert not any("From before" in each.value for each in app.caption)
    app.file_uploader(key="upload").set_value(None).run()
    assert any("There is no picture of yours" in each.value for each in app.caption)


def test_the_source_follows_the_address_back():
    app = choose(open_page(), "Photographs")
    app.query_params["picture"] = "yield-2"
    assert story(well(app.run())).startswith("Yield, ")
    assert app.segmented_control(key="source").value == "Road signs"


def warnings(app) -> list[str]:
    return [each.value for each in app.warning if "The link asks for" in each.value]


@pytest.mark.parametrize(
    "link",
    [
        {"network": "zzz"},
        {"picture": "sun"},
        {"picture": "cifar10-3"},
        {"device": "abacus"},
        {"resize": "stretch", "picture": "coffee"},
        {"true": "Moon", "picture": "coffee"},
        {"target": "Moon"},
        {"method": "guesswork"},
        {"box": "<b>"},
        {"prune": "perhaps"},
        {"stage": "zzz"},
        {"attack": "zzz"},
        {"where": "nowhere"},
    ],
    ids=str,
)
def test_what_a_link_asks_for_and_is_not_offered_is_said_until_something_else_is_chosen(link):
    (name, asked) = next(iter(link.items()))
    app = well(open_page(**link))
    (said,) = warnings(app)
    assert shown(said) == f"The link asks for {asked} as {name}, which is not offered here: another choice is shown."
    app.slider(key="seed").set_value(1).run()
    assert warnings(well(app)) == [said], "it is still so"
    if name == "prune":
        app.toggle(key=name).set_value(not app.toggle(key=name).value).run()
    elif name in ("target", "method", "box", "where"):
        other = app.selectbox(key=name).options[-1]
        app.selectbox(key=name).select(other).run()
    else:
        app.query_params[name] = {"network": "signs-cnn", "resize": "nearest", "true": "Yield"}.get(name, "")
        del app.query_params[name]
        app.run()
    assert warnings(well(app)) == []


def test_an_unknown_picture_of_cifar10_is_said(cifar10_pictures):
    app = well(open_page(picture="cifar10-9999"))
    assert len(warnings(app)) == 1
    assert "cifar10-9999" in warnings(app)[0]
    app.query_params["picture"] = "cifar10-12"
    assert warnings(app.run()) == []
