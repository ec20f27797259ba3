"""The Compare page without a browser: its three sections, what they run, and what they refuse."""

from types import SimpleNamespace

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer import load_classifier
from explorer.attacks import Greedy, RandomSearch, SparseAttack
from explorer.defences import DEFENCES
from explorer.ui import long_runs, run_files
from explorer.ui.compare import choices, defences, parts
from explorer.ui.compare.measured import measured
from explorer.ui.compare.parts import Parts
from explorer.ui.work import KEPT
from tests.app_page import button, labels, problems, shown
from tests.test_defences import Mirror

FAST = {
    "sparse": ("Sparse attack", SparseAttack(steps=10, polish=False)),
    "greedy": ("Greedy", Greedy(steps=25, polish=False)),
}
SIGNS = ["Road signs: ResNet", "Road signs: plain CNN"]


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Short attacks, and a server on which nothing was done yet."""
    real = choices.attack_choices()
    monkeypatch.setattr(choices, "attack_choices", lambda: {**real, **FAST})
    monkeypatch.setattr("explorer.ui.compare.versus.USUAL", tuple(FAST))
    monkeypatch.setattr(defences, "ATTACK", SparseAttack(steps=10, polish=False))
    monkeypatch.setattr(defences, "CHECK", RandomSearch(queries=20))
    monkeypatch.setattr("explorer.ui.compare.transfer.DEFAULT_ATTACKS", tuple(FAST))
    monkeypatch.setattr(run_files, "ROOT", tmp_path)
    run_files.folder.clear()
    long_runs.long_runs.clear()
    yield
    run_files.folder.clear()
    long_runs.long_runs.clear()


def open_page(**link: str | list[str]) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page("explorer/views/compare.py")
    return app.run()


def measure(app: AppTest) -> AppTest:
    """Press Measure and wait for the end."""
    button(app, "Measure").click().run()
    for run in [*long_runs.long_runs()._kept.values()]:
        if run.job is not None:
            assert run.job.wait(100)
            assert run.job.error is None
    return app.run()


def texts(app: AppTest) -> str:
    return shown(" ".join(each.value for each in (*app.markdown, *app.caption, *app.info)))


def test_transfer_is_measured_and_a_cell_opens_its_pictures_and_explore():
    app = measure(open_page(transfer_networks=SIGNS, transfer_n="2"))
    assert problems(app) == []
    assert "Other networks are fooled in" in texts(app)
    (table,) = app.dataframe
    assert len(table.value) == 2 * 2 * 2
    assert set(table.value["attacked"]) == {"ResNet", "Plain CNN"}
    own = table.value[table.value["attacked"] == table.value["looks"]]["Whole change"]
    assert all(cell.startswith(("100 %", "no picture")) for cell in own)
    app.query_params["cell"] = "1.0.0"
    app.run()
    assert problems(app) == []
    assert "ResNet → ResNet, Greedy" in texts(app)
    button_of = [each for each in app.button if each.label == "Open in Explore"]
    assert button_of
    button_of[0].click()
    app.run()
    assert not app.exception
    button_of = [each for each in app.button if each.label == "Open in Explore"]
    assert not button_of, "the page was left for Explore"


def test_all_but_one_together_adds_rows_and_says_how_the_one_left_out_did():
    app = open_page(
        transfer_networks=[*SIGNS, "Road signs: adversarially trained"],
        transfer_n="2",
        transfer_together="true",
        transfer_kappa="2.5",
    )
    app = measure(app)
    assert problems(app) == []
    assert "the one left out is fooled in" in texts(app)
    (table,) = app.dataframe
    assert len(table.value) == 2 * 6 * 3
    assert "all but ResNet" in set(table.value["attacked"])
    app.query_params["cell"] = "0.3.1"  # made on all but the first, shown to the second
    app.run()
    assert problems(app) == []
    assert not [each for each in app.button if each.label == "Open in Explore"], "no single network made it"


def test_before_anything_is_measured_the_shipped_table_is_shown(monkeypatch):
    monkeypatch.undo()
    app = open_page()
    assert problems(app) == []
    assert "Measured before, on 50 signs" in texts(app)
    assert "Other networks are fooled in 82 of 1,000 cases, 8 %." in texts(app)
    app.segmented_control(key="transfer_part").set_value("leading").run()
    assert "Other networks are fooled in 21 of 1,000 cases, 2 %." in texts(app)
    found = measured()
    assert set(found.attacks) <= {*choices.attack_choices()}
    assert all(
        found.shares[attack, name, name]["whole"].value == 1 for attack in found.attacks for name in found.networks
    )


def test_the_parts_of_the_change_are_other_numbers():
    app = measure(open_page(transfer_networks=SIGNS, transfer_n="2"))
    for part in ("obscuring", "leading"):
        app.segmented_control(key="transfer_part").set_value(part).run()
        assert problems(app) == []


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ({"transfer_networks": SIGNS[:1]}, "Choose two networks or more"),
        ({"compare": "Versus", "versus_attacks": ["Greedy"]}, "Choose two attacks or more."),
    ],
)
def test_too_few_is_one_sentence(link, says):
    app = open_page(**link)
    (problem,) = problems(app)
    assert says in problem


def test_networks_with_other_classes_are_one_sentence(monkeypatch):
    monkeypatch.setattr(choices, "tunable_networks", lambda: ["signs-resnet", "cifar-vit"])
    (problem,) = problems(open_page())
    assert "signs-resnet and cifar-vit must know the same classes" in problem


def test_no_picture_that_two_networks_see_correctly_is_one_sentence(monkeypatch):
    monkeypatch.setattr(
        "explorer.studies.transfer.Transfer._seen", lambda self, name, images: torch.full((len(images),), -1)
    )
    app = open_page(transfer_networks=SIGNS, transfer_n="2")
    button(app, "Measure").click().run()
    (run,) = long_runs.long_runs()._kept.values()
    assert run.job.wait(60)
    (problem,) = problems(app.run())
    assert "No two of signs-resnet, signs-cnn see any of these 2 pictures correctly" in problem


def test_attacks_stand_side_by_side_and_the_worst_case_is_named():
    app = measure(open_page(compare="Versus", versus_n="3"))
    assert problems(app) == []
    single, many = (each.value for each in app.dataframe)
    assert "Greedy: not polished" in texts(app)
    assert len([each for each in app.button if each.key and each.key.startswith("versus-open")]) == 2
    assert [*single["attack"]] == [*many["attack"]] == ["Sparse attack", "Greedy"]
    told = texts(app)
    assert "Robust accuracy at k =" in told
    assert "worst case over Sparse attack, Greedy" in told
    app.slider(key="versus_k").set_value(0).run()
    assert "Robust accuracy at k = 0: 100 %, 3 of 3" in texts(app)


def test_a_filter_is_shown_on_one_sign_and_measured_on_many():
    app = open_page(compare="Defences", defence_n="2")
    assert problems(app) == []
    assert "A filter that stops plain attacks is not safe" in texts(app)
    app.slider(key="median.radius").set_value(2).run()
    assert problems(app) == []
    app.selectbox(key="defence").set_value("gaussian").run()
    assert "sigma" in " ".join(str(each.key) for each in app.slider)
    app = measure(app)
    assert problems(app) == []
    (table,) = app.dataframe
    assert [*table.value["filter"]] == ["no filter", "Gaussian blur"]
    assert table.value["plain attacks survive"].iloc[0].startswith(("100 %", "no picture"))


def test_a_defence_is_one_entry_and_the_page_finds_it(monkeypatch):
    monkeypatch.setitem(DEFENCES, "mirror", Mirror)
    app = open_page(compare="Defences", defence="Mirror", defence_n="2")
    assert problems(app) == []
    assert app.selectbox(key="defence").value == "mirror"
    assert [each.key for each in app.slider if each.key and each.key.startswith("mirror.")] == ["mirror.times"]
    assert "the filter stops this attack" in texts(app) or "gets through the filter" in texts(app)


def test_what_a_link_asks_for_and_does_not_get_is_said():
    app = open_page(compare="Nothing")
    assert "which is not offered here" in shown(" ".join(each.value for each in app.warning))
    assert "Measure" in labels(app)


class Job:
    """What Parts needs of a job."""

    def report(self, *_told) -> None: ...


def test_parts_go_on_and_begin_anew_after_an_error():
    tries = []

    def make():
        tries.append(None)
        yield "one"
        if len(tries) == 1:
            raise ValueError("broken")
        yield "two"

    work = Parts(torch.nn.Identity(), 2, make)
    assert work.advance(Job())
    assert (work.made, work.left) == (["one"], 1)
    with pytest.raises(ValueError, match="broken"):
        work.advance(Job())
    assert work.made == []
    assert work.advance(Job())
    assert not work.advance(Job())
    assert work.made == ["one", "two"]
    assert not Parts(torch.nn.Identity(), 1, lambda: iter(())).advance(Job())


def test_the_rest_is_told_before_between_and_after():
    assert parts.told(0, 4, "40 attacks", 30).startswith("40 attacks: about 30 s")
    assert parts.told(2, 2, "40 attacks", 15).startswith("Stopped; what is done is kept")
    assert parts.told(4, 0, "40 attacks", 0) == "40 attacks: done."


def test_short_titles_stay_apart(monkeypatch):
    titles = {"a": "Signs: one", "b": "Other: one", "c": "Signs: two"}
    monkeypatch.setattr(choices, "card_of", lambda name: SimpleNamespace(title=titles[name]))
    assert choices.short_titles(["a", "c"]) == {"a": "One", "c": "Two"}
    assert choices.short_titles(["a", "b"]) == {"a": "Signs: one", "b": "Other: one"}


def test_a_run_of_a_visitor_s_own_network_goes_with_the_visit():
    app = open_page(transfer_n="2")
    app.session_state.session.own = load_classifier("signs-cnn", device="cpu")
    app.run()
    app.multiselect(key="transfer_networks").set_value(["signs-resnet", choices.UPLOADED]).run()
    button(app, "Measure").click().run()
    (run,) = app.session_state.own_runs._kept.values()
    assert run.job.wait(100)
    assert "Other networks are fooled in" in texts(app.run())
    assert all(
        choices.UPLOADED not in getattr(each.of, "networks", ()) for each in long_runs.long_runs()._kept.values()
    )


def test_a_visit_keeps_the_last_results_only():
    def page():
        from explorer.ui.caches import classifier
        from explorer.ui.work import result_of

        for number in range(20):
            result_of(f"test-{number}", classifier("signs-cnn", "cpu"), lambda _job, _twin, number=number: number)

    app = AppTest.from_function(page, default_timeout=100).run()
    assert not app.exception
    assert [*app.session_state.session.results.values()] == [*range(20 - KEPT, 20)]


def test_a_network_that_sees_another_size_gets_pictures_of_it():
    def page():
        import streamlit as st

        from explorer import SparseAttack, load_classifier
        from explorer.ui.lesson.explored import explored

        clf = load_classifier("signs-cnn", "cpu")
        clf.input_size = (80, 72)  # its convolutions take any
        found = explored(clf, "stop-2", SparseAttack(steps=3, prune=False, polish=False))
        st.session_state.shape = tuple(found.image.shape)

    app = AppTest.from_function(page, default_timeout=100).run()
    assert not app.exception
    assert app.session_state.shape == (3, 80, 72)
