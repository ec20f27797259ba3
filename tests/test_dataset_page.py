"""The Data set page without a browser: a study runs, stops, goes on, is shown in every view, and opens in Explore."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from explorer.attacks import SparseAttack
from explorer.classifiers import load_classifier
from explorer.images import to_png
from explorer.limits import Limits
from explorer.samples import find_new_sign, new_sign, offered
from explorer.studies import Ledger
from explorer.studies.dataset import apply_changes, to_frame
from explorer.ui import long_runs, run_files
from explorer.ui.dataset import choices, gallery, measured, work
from explorer.ui.dataset.show import VIEWS
from explorer.ui.dataset.work import InMemory, Work
from explorer.ui.grid import place_of
from tests.app_page import png, shown

PAGE = "explorer/views/dataset.py"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """What is kept on the disk or on the server by other tests must not answer this one's questions."""
    monkeypatch.setattr(run_files, "ROOT", tmp_path / "runs")
    monkeypatch.delenv(offered.VARIABLE, raising=False)
    run_files.folder.clear()
    long_runs.long_runs.clear()
    yield
    run_files.folder.clear()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """The default attack, with few steps."""
    quick = {"sparse": ("Sparse attack", SparseAttack(steps=10, polish=False))}
    monkeypatch.setattr(choices, "attack_choices", lambda: quick)


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in {"dataset_n": "4", **link}.items():
        app.query_params[name] = value
    return app.switch_page(PAGE).run()


def button(app: AppTest, label: str):
    return next(each for each in app.button if each.label == label)


def captions(app: AppTest) -> str:
    return " ".join(shown(caption.value) for caption in app.caption)


def finish(app: AppTest) -> AppTest:
    until = time.monotonic() + 90
    while "Stop" in {each.label for each in app.button} and time.monotonic() < until:
        time.sleep(0.2)
        app.run()
    assert not app.exception
    return app


def test_a_study_runs_and_every_view_of_it_is_shown():
    app = open_page()
    assert not app.exception
    assert not app.error
    button(app, "Attack 4 pictures").click().run()
    finish(app)
    assert "All 4 attacks are done." in captions(app)
    assert [each.value for each in app.markdown if "of 4 pictures are fooled" in each.value]
    for view in VIEWS:
        app.segmented_control(key="dataset_view").set_value(view).run()
        assert not app.exception, view
        assert not app.error, view
    labels = {each.label for each in app.get("download_button")}
    assert {"Table (CSV)", "Table (Parquet)", "Report (HTML)"} <= labels


def test_before_anything_is_attacked_here_what_was_measured_is_shown_in_every_view(monkeypatch):
    asked = []
    monkeypatch.setattr(measured, "go_to", lambda *place: asked.append(place))
    app = open_page()
    assert any("Measured before: 90 new road signs" in each.value for each in app.markdown)
    for view in VIEWS:
        app.segmented_control(key="dataset_view").set_value(view).run()
        assert not app.exception, view
        assert not app.error, view
    app.segmented_control(key="dataset_view").set_value("Pictures").run()
    button(app, "Open in Explore").click().run()
    ((attack, network, picture),) = asked
    row = measured.measured().set_index("picture").loc[picture]
    assert (attack, network) == (SparseAttack(), "signs-resnet")
    attacked = apply_changes(find_new_sign(picture).image, row["change"])
    clf = load_classifier(network, device="cpu")
    assert clf.class_names[int(clf(attacked[None]).argmax())] == row["wrong_class"]
    assert {each.label for each in app.get("download_button")} == set()


def test_two_networks_and_their_left_out_pictures():
    app = open_page(dataset_networks_signs="Road signs: ResNet", dataset_n="3")
    app.multiselect(key="dataset_networks_signs").set_value(["signs-resnet", "signs-cnn"]).run()
    button(app, "Attack 6 pictures").click().run()
    finish(app)
    assert "attacks are done" in captions(app)
    for view in VIEWS:
        app.segmented_control(key="dataset_view").set_value(view).run()
        assert not app.exception, view


def test_what_was_done_is_found_by_its_link_also_after_the_servers_restart():
    app = open_page()
    button(app, "Attack 4 pictures").click().run()
    finish(app)
    long_runs.long_runs.clear()
    assert "All 4 attacks are done." in captions(open_page())
    assert "4 attacks" not in captions(open_page(dataset_n="5"))


def test_pictures_that_were_let_go_are_read_again():
    app = open_page()
    button(app, "Attack 4 pictures").click().run()
    finish(app)
    (run,) = long_runs.long_runs()._kept.values()
    memory = InMemory(limit=1)
    memory.use(run.of)
    memory.use(Work(run.of.choice, {}, Ledger()))
    assert run.of.study is None
    app.run()
    assert not app.exception
    assert "All 4 attacks are done." in captions(app)
    run.of.study = None
    assert run.of.report().startswith("<!DOCTYPE html>")


def test_a_stopped_study_goes_on(monkeypatch):
    def advance_and_stop(self, job):
        more = advance(self, job)
        if self.study.done == 1 and not stopped:
            stopped.append(True)
            job.cancel()
        return more

    advance, stopped = Work.advance, []
    monkeypatch.setattr(Work, "advance", advance_and_stop)
    monkeypatch.setattr(work, "BATCH", 1)
    app = open_page()
    button(app, "Attack 4 pictures").click().run()
    (run,) = long_runs.long_runs()._kept.values()
    assert run.job.wait(60)
    app.run()
    assert not app.exception
    assert "1 of 4 attacks are done." in captions(app)
    button(app, "Go on").click().run()
    finish(app)
    assert run.of.study.left == 0


def test_pictures_sort_and_open_in_explore(monkeypatch):
    asked = []
    monkeypatch.setattr(gallery, "go_to", lambda *place: asked.append(place))
    app = open_page(dataset_view="Pictures")
    button(app, "Attack 4 pictures").click().run()
    finish(app)
    (work,) = [run.of for run in long_runs.long_runs()._kept.values()]
    table = to_frame(work.study.rows())
    assert gallery.ordered(table, "Fewest pixels")["n_pixels"].is_monotonic_increasing
    assert gallery.ordered(table, "Most pixels")["n_pixels"].is_monotonic_decreasing
    shares = gallery.ordered(table, "Most obscuring")["share"].dropna()
    assert shares.is_monotonic_decreasing
    for order in gallery.ORDERS:
        app.selectbox(key="dataset_sort").set_value(order).run()
        assert not app.exception, order
    app.selectbox(key="dataset_sort").set_value("Fewest pixels").run()
    first = gallery.ordered(table[table["succeeded"]], "Fewest pixels").iloc[0]
    button(app, "Open in Explore").click().run()
    assert asked == [(work.choice.attack, "signs-resnet", first["picture"])]
    explore = AppTest.from_file("../app.py", default_timeout=120)
    place = place_of(*asked[0])
    for name, value in place.items():
        explore.query_params[name] = value
    explore.run()
    assert not explore.exception
    assert not [each.value for each in explore.warning if "The link asks" in each.value]
    (header,) = explore.header
    assert f"by {first['n_pixels']} of 4,096 pixels" in shown(header.value), "the same result"


def test_a_folder_of_the_servers_is_offered_and_its_pictures_are_carried_to_explore(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(gallery, "go_to", lambda *place: asked.append(place))
    folder = tmp_path / "my folder 🛑"
    folder.mkdir()
    for number in (1, 2, 3):
        (folder / f"a <b> {number}.png").write_bytes(to_png(new_sign(number).image))
    (folder / "broken.png").write_bytes(b"no picture")
    monkeypatch.setenv(offered.VARIABLE, f'["{folder}"]')
    app = open_page(pictures="my folder 🛑", dataset_networks_any="Road signs: ResNet")
    assert not app.error
    button(app, "Attack 4 pictures").click().run()
    finish(app)
    assert "All 3 attacks are done. 1 are not attacked" in captions(app)
    app.segmented_control(key="dataset_view").set_value("Pictures").run()
    button(app, "Open in Explore").click().run()
    carried = app.session_state["carried"]
    assert carried.name.startswith("a <b> ")
    assert asked[0][1:] == ("signs-resnet", "upload")
    explore = AppTest.from_file("../app.py", default_timeout=120)
    explore.session_state["carried"] = carried
    for name, value in place_of(*asked[0]).items():
        explore.query_params[name] = value
    explore.run()
    assert not explore.exception
    assert f"Brought along from another page: {carried.name}" in captions(explore).replace("*", "")
    (run,) = long_runs.long_runs()._kept.values()
    (row,) = [row for row in run.of.study.rows() if row["picture"] == carried.name]
    (header,) = explore.header
    assert f"by {row['n_pixels']} of 4,096 pixels" in shown(header.value), "the same result"


@pytest.mark.parametrize("name", ["signs", "gallery", "cifar10", "Road signs", "Your pictures"])
def test_a_folder_that_is_called_like_something_else_is_itself(name, tmp_path, monkeypatch):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "a.png").write_bytes(to_png(new_sign(1).image))
    monkeypatch.setenv(offered.VARIABLE, f'["{folder}"]')
    other = f"{name} (folder)"
    title = other if other in open_page().selectbox(key="pictures").options else name
    app = open_page(pictures=title, dataset_networks_any="Road signs: ResNet")
    assert not app.error
    assert app.toggle(key="guess") is not None
    assert button(app, "Attack 1 picture")


def test_where_a_folder_lies_is_not_told(tmp_path, monkeypatch):
    (folder := tmp_path / "mine").mkdir()
    (folder / "a.png").write_bytes(to_png(new_sign(1).image))
    monkeypatch.setenv(offered.VARIABLE, f'["{folder}"]')
    app = open_page(pictures="mine", dataset_networks_any="Road signs: ResNet")
    (folder / "a.png").unlink()
    app.run()
    assert not app.exception
    assert str(tmp_path) not in " ".join(each.value for each in (*app.error, *app.caption, *app.markdown, *app.info))


@pytest.mark.parametrize("named", ["no json", '["/nowhere/at/all"]', '{"a": 1}'])
def test_a_wrong_list_of_folders_is_one_sentence(named, monkeypatch):
    monkeypatch.setenv(offered.VARIABLE, named)
    app = open_page()
    assert not app.exception
    (error,) = app.error
    assert offered.VARIABLE in shown(error.value)


def test_uploads_are_the_visitors_own():
    app = open_page(pictures=choices.UPLOAD, dataset_networks_any="Road signs: ResNet")
    assert [each.value for each in app.error] == ["Bring at least one picture."]
    files = [
        ("one.png", png((70, 70)), "image/png"),
        ("one.png", png((64, 64)), "image/png"),
        ("x.png", b"", "image/png"),
    ]
    app.get("file_uploader")[0].set_value(files).run()
    assert not app.exception
    button(app, "Attack 3 pictures").click().run()
    finish(app)
    assert not long_runs.long_runs()._kept, "what is of a visit goes with it"
    (run,) = app.session_state.own_runs._kept.values()
    assert run.path is None, "nothing of it goes to the disk"
    assert run.of not in work.in_memory()._kept.values()
    names = {row["picture"] for row in run.of.study.rows()} | {
        each.picture for one in run.of.study.gathered for each in one.left_out
    }
    assert names == {"one.png", "one.png (2)", "x.png"}
    other = open_page(pictures=choices.UPLOAD, dataset_networks_any="Road signs: ResNet")
    assert [each.value for each in other.error] == ["Bring at least one picture."]


def test_more_than_a_page_does_is_not_offered(monkeypatch):
    monkeypatch.setattr(choices, "limits", lambda: Limits(dataset_attacks=10))
    app = open_page(dataset_n="4")
    assert app.slider(key="dataset_n").max == 10


def test_no_network_is_one_sentence():
    app = open_page()
    app.multiselect(key="dataset_networks_signs").set_value([]).run()
    assert [each.value for each in app.error] == ["Choose at least one network."]


def test_a_full_disk_is_a_sentence_and_it_can_go_on(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "_write", full)
        app = open_page()
        button(app, "Attack 4 pictures").click().run()
        finish(app)
        assert "No space left on device" in " ".join(shown(each.value) for each in app.error)
    button(app, "Attack 4 pictures").click().run()
    finish(app)
    assert "All 4 attacks are done." in captions(app)
    long_runs.long_runs.clear()
    assert "All 4 attacks are done." in captions(open_page()), "all of it is on the disk"
