"""The Explore page without a browser: it runs, it obeys its link, it survives bad input, it says what went wrong."""

import math
import re
from dataclasses import replace
from traceback import walk_tb

import pytest
import torch
from app_page import button, forget_classifiers, labels, open_page, png, problems, story
from streamlit.testing.v1 import AppTest

from explorer.attacks import ATTACKS, SparseAttack
from explorer.classifiers import CLASSIFIERS, DEFAULT, Download
from explorer.evidence import MAPS, METHODS
from explorer.knobs import knobs
from explorer.samples import find_sample, gallery, signs
from explorer.ui import caches, runs
from explorer.ui.attacks import prefix_of, presets_of
from explorer.ui.caches import answers


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A busy machine must not turn a run that starts by itself into one that waits for the button."""
    monkeypatch.setattr(runs, "PATIENCE", math.inf)
    monkeypatch.setattr(runs, "UNASKED", math.inf)


def test_without_a_click_the_first_sign_is_attacked():
    app = open_page()
    assert not app.exception
    assert not app.error
    assert re.fullmatch(r"Stop, \S+ \d+ %|Stop, .*", story(app).split(" → ")[0])
    assert re.search(r", by [\d,]+ of 4,096 pixels$", story(app))
    assert {slider.key for slider in app.select_slider} >= {"a", "lam", "tau"}


def test_every_knob_has_a_control_and_the_main_ones_their_sentence():
    app = open_page()
    controls = [*app.select_slider, *app.slider, *app.toggle, *app.selectbox, *app.number_input]
    assert {each.key for each in controls} >= set(knobs(SparseAttack))
    captions = {caption.value for caption in app.caption}
    assert {knobs(SparseAttack)[name].brief for name in ("a", "lam", "tau")} <= captions


def test_the_link_restores_picture_network_and_settings():
    network = next(name for name in CLASSIFIERS if name != DEFAULT)
    link = {"a": "0.079", "lam": "0.79", "tau": "0.04", "momentum": "0.85"}
    app = open_page(picture="yield-2", network=network, **link)
    assert not app.exception
    assert story(app).startswith("Yield, ")
    assert app.selectbox(key="network_choice").value == network
    assert [app.select_slider(key=key).value for key in ("a", "lam", "tau")] == [0.079, 0.79, 0.04]
    assert app.slider(key="momentum").value == 0.85


def test_every_network_can_be_chosen_and_is_put_into_the_link(monkeypatch):
    monkeypatch.setattr(Download, "here", False)  # whatever lies on this computer
    app = open_page()
    for world in ("cifar10", "imagenet", "signs"):
        names = [name for name, card in CLASSIFIERS.items() if card.dataset == world]
        if not names:
            continue
        app.selectbox(key="world").set_value(world).run()
        for name in names:
            app.selectbox(key="network_choice").set_value(name).run()
            assert problems(app) == []
            assert app.query_params.get("network", DEFAULT) == name
    assert app.query_params.get("network", DEFAULT) == names[-1]


def test_weights_that_cannot_be_read_are_one_sentence(monkeypatch):
    def missing(name: str, _device: str):
        raise RuntimeError(f"The weights of {name} cannot be read.")

    monkeypatch.setattr(caches, "load_classifier", missing)
    forget_classifiers()
    app = open_page()
    assert not app.exception
    assert [error.value for error in app.error] == [f"The weights of {DEFAULT} cannot be read."]


def test_a_link_with_nonsense_shows_the_defaults_or_what_is_nearest():
    app = open_page(picture="sun", network="gpt", a="-3", lam="x", tau="7", steps="many", target="Moon", box="<b>")
    assert not app.exception
    assert not app.error
    assert story(app).startswith("Stop, ")
    assert app.select_slider(key="lam").value == SparseAttack().lam
    assert app.select_slider(key="a").value == 0.01, "the nearest that can be"
    assert len([each for each in app.warning if "link" in each.value]) == 8, "each of them"
    assert app.selectbox(key="network_choice").value == DEFAULT


def test_moving_a_slider_runs_again_and_going_back_is_remembered(monkeypatch):
    app = open_page()
    first = story(app)
    app.select_slider(key="tau").set_value(0.2).run()
    assert not app.exception
    app.select_slider(key="tau").set_value(SparseAttack().tau).run()
    monkeypatch.setattr(SparseAttack, "__call__", lambda *_args, **_more: pytest.fail("it attacked again"))
    stage(app).set_value("pruned").run()
    assert story(app) == first


def stage(app: AppTest):
    """The control that tells the stages, with the count of each, and shows one of them."""
    return app.segmented_control(key="stage_choice")


def counts(app: AppTest) -> dict[str, int]:
    told = (re.search(r"(\w+) \*\*([\d,]+)\*\*", option).groups() for option in stage(app).options)
    return {name: int(n.replace(",", "")) for name, n in told}


def test_a_click_shows_the_result_of_another_stage_without_another_attack(monkeypatch):
    app = open_page()
    assert stage(app).value == "pruned"
    monkeypatch.setattr(SparseAttack, "__call__", lambda *_args, **_more: pytest.fail("it attacked again"))
    stage(app).set_value("optimised").run()
    assert not app.exception
    assert app.query_params["stage"] in ("optimised", ["optimised"])
    assert story(app).endswith(f", by {counts(app)['optimised']:,} of 4,096 pixels")


def test_who_turns_a_slider_sees_the_stage_where_it_acts_unless_another_was_asked_for():
    app = open_page()
    app.select_slider(key="lam").set_value(0.1).run()
    assert not app.exception
    assert stage(app).value == "optimised"
    assert story(app).endswith(f", by {counts(app)['optimised']:,} of 4,096 pixels")
    stage(app).set_value("pruned").run()
    app.select_slider(key="lam").set_value(1.0).run()
    assert stage(app).value == "pruned"
    button(app, "Defaults").click().run()
    app.select_slider(key="tau").set_value(0.1).run()
    assert stage(app).value == "optimised"


def test_an_older_link_to_the_optimised_stage_still_shows_it():
    app = open_page(optimised="true")
    assert problems(app) == []
    assert stage(app).value == "optimised"
    assert "optimised" not in app.query_params


def test_presets_set_every_knob():
    app = open_page()
    stage(app).set_value("optimised").run()
    app.selectbox(key="target").set_value("Yield").run()
    button(app, "As in the paper").click().run()
    assert not app.exception
    paper = SparseAttack.paper()
    assert app.select_slider(key="lam").value == paper.lam
    assert app.selectbox(key="gradient").value == paper.gradient
    assert app.selectbox(key="target").value == "Yield"
    button(app, "Defaults").click().run()
    assert not app.exception
    assert app.select_slider(key="lam").value == SparseAttack().lam
    assert app.selectbox(key="target").value == "any wrong class"
    assert stage(app).value == "polished", "the whole of the default, not its first stage"


def test_a_slow_run_waits_for_the_button(monkeypatch):
    monkeypatch.setattr(runs, "PATIENCE", 0.0)
    monkeypatch.setattr(runs, "UNASKED", 0.0)
    answers.clear()  # what another test asked needs no run
    app = open_page()
    assert story(app) == "Stop, > 99 %", "the clean picture is there at once"
    button(app, "Run").click().run()
    first = story(app)
    assert "Run" not in labels(app)
    app.select_slider(key="tau").set_value(0.2).run()
    assert story(app) == first, "until Run is pressed the run before stays in view"
    assert any("still the run before" in caption.value for caption in app.caption)
    button(app, "Run").click().run()
    assert "Run" not in labels(app)
    assert not app.exception


def upload(name: str, content: bytes) -> AppTest:
    app = open_page()
    app.segmented_control(key="source").set_value("Upload").run()
    assert story(app).startswith("Stop, "), "until there is a file the gallery's picture stays"
    app.file_uploader(key="upload").set_value((name, content, "image/png")).run()
    return app


def test_a_picture_of_your_own_is_fitted_and_attacked():
    app = upload("mine.png", png())
    assert not app.exception
    assert not app.error
    assert any("90 × 60 pixels" in caption.value for caption in app.caption)
    assert "of 4,096 pixels" in story(app)


@pytest.mark.parametrize("content", [b"", b"GIF89a not a picture", png()[:200]], ids=["empty", "renamed", "truncated"])
def test_a_bad_file_is_refused_in_one_sentence_and_the_page_stays_usable(content):
    app = upload("bad.png", content)
    assert not app.exception
    (error,) = app.error
    assert "\n" not in error.value
    assert story(app).startswith("Stop, ")
    app.file_uploader(key="upload").set_value(("mine.png", png(), "image/png")).run()
    assert not app.error
    assert not app.exception


def test_the_class_that_is_seen_already_is_no_target():
    app = open_page(target="Stop")
    assert not app.exception
    assert [error.value for error in app.error] == ["The network already sees Stop: choose another target."]
    app.selectbox(key="target").set_value("any wrong class").run()
    assert not app.error
    assert story(app).startswith("Stop, ")


def test_a_picture_that_is_already_mistaken_is_said_to_be(monkeypatch):
    mistaken = replace(find_sample("stop-1"), label=3)
    monkeypatch.setattr(signs, "gallery", lambda: (mistaken,))
    app = open_page()
    (info,) = app.info
    told = "the true class is Priority road, and the network sees Stop. So it was attacked from Stop."
    assert info.value == f"The network already gets this picture wrong: {told}"
    assert story(app).startswith("Stop, ")


def test_failure_comes_with_a_cure_that_was_tried_or_with_none():
    app = open_page(max_pixels="1", steps="10")
    assert not app.exception
    assert "not fooled" in story(app)
    tried = [label for label in labels(app) if label.startswith("Try ")]
    assert tried or any("None of" in each.value for each in app.warning)


def test_an_unexpected_error_is_not_lost_and_the_next_question_is_answered(monkeypatch):
    def broken(*_args, **_more):
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(SparseAttack, "__call__", broken)
        app = open_page(seed="12")
    assert len(app.exception) == 1
    frames = [len([*walk_tb(app.run().session_state.session.job.error.__traceback__)]) for _again in range(3)]
    assert len({*frames}) == 1, "none of the page's earlier runs"
    app.slider(key="seed").set_value(0).run()
    assert not app.exception
    assert story(app).startswith("Stop, ")


def test_every_gallery_picture_has_a_thumbnail_that_fits():
    from explorer.ui.gallery import _thumbnails

    thumbnails = _thumbnails([sample.name for sample in gallery()], gallery())
    assert [each["name"] for each in thumbnails] == [sample.name for sample in gallery()]
    assert sum(len(each["src"]) for each in thumbnails) < 400_000
    assert all(torch.isfinite(sample.image).all() for sample in gallery())


def open_expander(app: AppTest, key: str) -> AppTest:
    app.session_state[key] = True
    return app.run()


def test_the_trust_card_says_one_thing(monkeypatch):
    app = open_page()
    cards = [*app.success, *app.warning, *app.error]
    assert len([card for card in cards if "labels" in card.value or card.value.startswith("Take care")]) == 1


def test_every_valid_method_can_label_the_pixels_and_no_other_is_offered():
    app = open_page()
    of_transformers = {"attention rollout", "gradient-weighted attention"}
    titles = [method.title for method in METHODS.values()]
    assert app.selectbox(key="method").options == [title for title in titles if title not in of_transformers]
    app = open_page(network="signs-vit")
    assert not app.exception
    offered = app.selectbox(key="method").options
    assert "Grad-CAM" not in offered
    assert of_transformers < {*offered}
    assert "Shapley values" in offered
    app.selectbox(key="method").set_value("saliency").run()
    assert not app.exception
    assert not app.error


def test_what_if_follows_at_once_without_another_attack(monkeypatch):
    app = open_expander(open_page(), "what-if")
    assert not app.exception
    (now,) = [each.value for each in app.markdown if each.value.startswith("##### ") and "\u00a0%" in each.value]
    monkeypatch.setattr(SparseAttack, "__call__", lambda *_args, **_more: pytest.fail("it attacked again"))
    button(app, "All").click().run()
    (back,) = [each.value for each in app.markdown if each.value.startswith("##### ") and "\u00a0%" in each.value]
    assert back.startswith("##### Stop, ")
    assert back != now
    assert any("repaired" in each.value for each in app.markdown)
    button(app, "Undo all").click().run()
    assert any("still fooled" in each.value for each in app.markdown)
    app.slider(key="strength").set_value(0).run()
    assert any("repaired" in each.value for each in app.markdown)
    button(app, "Smallest repair").click().run()
    assert any("repaired" in each.value for each in app.markdown)
    assert app.slider(key="strength").value == 100
    assert any("pixels repairs it" in each.value for each in app.info)
    button(app, "Smallest set that still fools").click().run()
    assert any("still fooled" in each.value for each in app.markdown)
    button(app, "→").click().run()
    assert not app.exception


def test_a_pixel_is_moved_as_often_as_one_likes():
    app = open_expander(open_page(), "what-if")
    (choice,) = [each for each in app.selectbox if each.label == "Move a pixel"]
    chosen = choice.options[1]
    choice.select_index(1).run()
    row, col = map(int, re.search(r"row (\d+), column (\d+)", chosen).groups())
    for steps in (1, 2, 3):
        button(app, "→" if col < 60 else "←").click().run()
        (choice,) = [each for each in app.selectbox if each.label == "Move a pixel"]
        assert choice.options[choice.index] == chosen
        place = f"now at row {row}, column {col + steps if col < 60 else col - steps}"
        assert place in [each.value for each in app.caption]


def test_what_did_not_fool_is_not_called_repaired():
    app = open_expander(open_page(max_pixels="1", steps="5"), "what-if")
    assert any("not fooled" in each.value for each in app.markdown)
    assert not any("repaired" in each.value for each in app.markdown)
    button(app, "Smallest repair").click().run()
    assert any("nothing to repair" in each.value for each in app.info)


def test_another_method_keeps_what_was_selected_and_changed():
    app = open_expander(open_page(), "what-if")
    app.session_state.session.select([1])
    button(app, "All").click().run()
    app.selectbox(key="method").set_value("saliency").run()
    me = app.session_state.session
    assert me.selected == (1,)
    assert len(me.what_if.back) == me.shown.n_pixels
    assert me.shown.evidence.method == "saliency"
    app.slider(key="eps").set_value(0.1).run()
    assert app.session_state.session.selected == ()


def test_coming_back_from_another_page_finds_the_network_and_the_picture():
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in {"network": "signs-cnn", "picture": "yield-2", "steps": "5", "polish": "false"}.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("explorer/views/ground_truth.py").run()
    app.query_params.clear()
    app.switch_page("explorer/views/explore.py").run()
    assert not app.exception
    assert app.selectbox(key="network_choice").value == "signs-cnn"
    assert app.query_params["picture"] in ("yield-2", ["yield-2"])
    # another network, by a link or the browser's Back, takes its place for good
    app.query_params["network"] = "signs-resnet"
    app.run()
    app.switch_page("explorer/views/ground_truth.py").run()
    app.query_params.clear()
    app.switch_page("explorer/views/explore.py").run()
    assert app.selectbox(key="network_choice").value == "signs-resnet"


@pytest.mark.parametrize("key", ["proof", "maps", "playback"])
def test_the_longer_looks_come_when_they_are_asked_for(key):
    app = open_page(max_pixels="8")
    quiet = len(app.markdown)
    app = open_expander(app, key)
    assert not app.exception
    assert not app.error
    assert len(app.markdown) > quiet
    again = len(app.markdown)
    assert len(app.run().markdown) == again


def test_the_maps_of_attention_say_how_they_are_read():
    app = open_expander(open_page(network="signs-vit"), "maps")
    for name, head in (("attention_rollout", "Every class"), ("gradient_attention", "Stop")):
        app.segmented_control(key="map").set_value(name).run()
        assert not app.exception
        assert not app.error
        assert any(each.value == f"###### {head} on the clean picture" for each in app.markdown)
        assert any(each.value.startswith(MAPS[name].reading) for each in app.caption)


def test_the_ground_truth_page_opens_with_signs_and_measures_others_when_asked():
    app = AppTest.from_file("../app.py", default_timeout=120).run()
    app.switch_page("explorer/views/ground_truth.py").run()
    assert not app.exception
    assert [each.value for each in app.title] == ["Do the labels fall where the evidence lies?"]
    for name in (name for name, card in CLASSIFIERS.items() if card.dataset == "signs"):
        app.selectbox(key="truth_network").set_value(name).run()
        assert not app.exception
        told = " ".join(each.value for each in app.markdown)
        assert "pixels were changed: " in told or "pixel was changed: " in told
        assert re.search(r"\*\*On these \d signs\*\*, \d+ of \d+ obscuring pixels lie on", told)
        assert not app.info, "nothing needs to be asked for"
    app.selectbox(key="truth_network").set_value("signs-cnn").run()
    app.selectbox(key="truth_method").set_value("gradient_x_change").run()
    assert "Press *Measure*: 6 signs" in app.info[0].value
    (table,) = app.dataframe
    assert re.fullmatch(r"[\d.]+ points \([\d.]+ to [\d.]+\)", table.value.loc[0]["obscuring_gain"])
    app.number_input(key="truth_n").set_value(2).run()
    button(app, "Measure").click().run()
    assert not app.exception
    assert not app.error
    few, _ = app.dataframe
    assert " to " not in " ".join(few.value.loc[0]), "two signs say nothing of others"
    assert any("No intervals for fewer" in caption.value for caption in app.caption)


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_has_its_controls_its_presets_and_its_place_in_the_link(name):
    kind, prefix = ATTACKS[name], prefix_of(name)
    app = open_page(attack=name, **{f"{prefix}queries": "100", f"{prefix}steps": "12", f"{prefix}polish": "false"})
    assert problems(app) == []
    assert app.selectbox(key="attack_choice").value == name
    controls = [*app.select_slider, *app.slider, *app.toggle, *app.selectbox, *app.number_input]
    assert {each.key for each in controls} >= {prefix + each for each in knobs(kind)}
    told = {knobs(kind)[each].brief or knobs(kind)[each].help for each in kind.main}
    assert told <= {caption.value for caption in app.caption}
    assert type(app.session_state.session.shown.attack) is kind
    assert ("mechanics" in {each.key for each in app.expander}) == kind.has_weights
    assert (len(counts(app)) > 1) == app.session_state.session.shown.attack.prune
    assert [title for title in presets_of(name) if title not in labels(app)] == []


def test_two_attacks_have_settings_of_one_name_and_each_its_own():
    app = open_page(steps="40")
    app.selectbox(key="attack_choice").set_value("greedy").run()
    app.slider(key="greedy.steps").set_value(20).run()
    assert problems(app) == []
    assert "steps" not in app.query_params
    app.selectbox(key="attack_choice").set_value("sigma-zero").run()
    assert app.slider(key="sigma-zero.steps").value == 1000
    app.selectbox(key="attack_choice").set_value("greedy").run()
    assert app.session_state.session.shown.attack.unit == "pixel"


def test_whole_numbers_on_a_logarithmic_slider_stay_whole():
    app = open_page(attack="random", **{"random.queries": "137", "random.k": "5"})
    assert problems(app) == []
    assert app.select_slider(key="random.queries").value == 137
    assert isinstance(app.session_state.session.shown.attack.queries, int)


def test_what_a_run_noticed_is_said(monkeypatch):
    call = SparseAttack.__call__

    def noticing(self, *given, **more):
        return replace(call(self, *given, **more), gradient="not finite", was_training=True)

    monkeypatch.setattr(SparseAttack, "__call__", noticing)
    app = open_page(seed="17")
    captions = " ".join(caption.value for caption in app.caption)
    assert "left alone" in captions
    assert "attacked in evaluation mode" in captions


def test_a_result_that_came_with_the_app_says_nothing_of_this_computers_time(monkeypatch):
    answers.clear()  # what another test asked was done here
    app = AppTest.from_file("../app.py", default_timeout=120).run()
    assert "came with the app" in " ".join(each.value for each in app.caption)
    assert not any(app.session_state.session.seconds.values())
    monkeypatch.setattr(runs, "PATIENCE", 0.0)
    app.select_slider(key="lam").set_value(1.3).run()
    assert "Run" not in labels(app), "the first run here begins by itself"
