"""The Tune and Experiments pages without a browser: a grid runs, stops and goes on; a cell opens; bad input is said."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from explorer.attacks import ATTACKS, Greedy, SparseAttack
from explorer.knobs import knobs
from explorer.sweep import EXPERIMENTS
from explorer.tuning import tunable
from explorer.ui import grid, long_runs
from explorer.ui.experiments import files
from explorer.ui.grid import MAX_RUNS, offered, parsed, suggested, written

TUNE, EXPERIMENTS_PAGE = "explorer/views/tune.py", "explorer/views/experiments.py"
QUICK = {"steps": "10", "signs": "2", "values_a": "0.05, 0.1", "values_lam": "0.3, 1"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """What is kept on the disk or on the server by other tests must not answer this one's questions."""
    monkeypatch.setattr(long_runs, "ROOT", tmp_path)
    long_runs.folder.clear()
    long_runs.long_runs.clear()
    yield
    long_runs.folder.clear()


def open_page(page: str = TUNE, **link: str) -> AppTest:
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in {**QUICK, **link}.items():
        app.query_params[name] = value
    return app.switch_page(page).run()


def button(app: AppTest, label: str):
    (found,) = [each for each in app.button if each.label == label]
    return found


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def finish(app: AppTest) -> AppTest:
    until = time.monotonic() + 60
    while "Stop" in {each.label for each in app.button} and time.monotonic() < until:
        time.sleep(0.2)
        app.run()
    return app


def test_a_grid_runs_and_every_view_of_it_is_shown():
    app = open_page()
    assert not app.exception
    assert not app.error
    button(app, "Run 8 runs").click().run()
    finish(app)
    assert "All 8 runs are done." in captions(app)
    for view in ("Map", "Pictures", "Curves", "Pareto front", "Parallel", "Table"):
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception, view
    (told,) = [each.value for each in app.markdown if each.value.startswith("Fewest pixels")]
    assert "fooled" in told


def test_what_was_done_is_found_again_by_its_link_also_after_the_servers_restart():
    app = open_page()
    button(app, "Run 8 runs").click().run()
    finish(app)
    assert "All 8 runs are done." in captions(open_page())
    long_runs.long_runs.clear()
    assert "All 8 runs are done." in captions(open_page())
    assert "8 runs." in captions(open_page(values_a="0.05, 0.2"))


def test_a_stopped_grid_goes_on(monkeypatch):
    app = open_page(signs="4", steps="60", values_a="0.03,0.05,0.1,0.2")
    button(app, "Run 32 runs").click().run()
    run = next(iter(long_runs.long_runs()._kept.values()))
    run.job.cancel()
    assert run.job.wait(30)
    app.run()
    assert not app.exception
    assert run.of.left == 32, "the batch that was stopped is done again"
    button(app, "Run 32 runs").click().run()
    finish(app)
    assert run.of.left == 0


def test_two_visitors_with_one_link_share_a_run_and_others_do_not():
    one, two = open_page(), open_page()
    button(one, "Run 8 runs").click().run()
    finish(one)
    assert "All 8 runs are done." in captions(two.run())
    assert len(long_runs.long_runs()._kept) == 1
    open_page(values_a="0.05")
    assert len(long_runs.long_runs()._kept) == 2


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ({"values_a": "0.1, -1"}, "a must lie in"),
        ({"values_a": "a lot"}, "a takes numbers, separated by commas; got 'a lot'"),
        ({"values_a": ", ,"}, "a takes 1 to 12 values"),
        ({"values_a": ",".join(f"0.{i}" for i in range(1, 20))}, "a takes 1 to 12 values, separated by commas; got 19"),
    ],
)
def test_bad_values_are_one_sentence(link, says):
    app = open_page(**link)
    assert not app.exception
    (error,) = app.error
    assert says in error.value


def test_more_runs_than_a_page_does_are_refused(monkeypatch):
    monkeypatch.setattr(grid, "MAX_RUNS", 7)
    (error,) = open_page().error
    assert "That is 8 runs, and a page does 7 at most" in error.value
    assert MAX_RUNS >= 8 * 8 * 4


def test_no_network_is_one_sentence():
    app = open_page()
    app.multiselect(key="networks").set_value([]).run()
    assert [error.value for error in app.error] == ["Choose at least one network."]


def test_the_search_runs_recommends_and_checks(monkeypatch):
    from explorer.ui import search

    monkeypatch.setattr(search, "PICTURES", 2)
    monkeypatch.setattr(search, "TRIALS", (3, 200, 3))
    app = open_page(part="Find the best for me", steps="40", trials="3")
    assert not app.exception
    app.multiselect(key="over").set_value(["tau", "momentum"]).run()
    button(app, "Search").click().run()
    finish(app)
    assert not app.exception
    told = " ".join(each.value for each in app.markdown)
    assert "Recommended" in told
    assert "On 2 other pictures" in told
    assert "3 of 3 trials" in captions(app)


@pytest.mark.parametrize(
    ("attack", "name"), [(attack, name) for attack in ATTACKS for name in offered(ATTACKS[attack])]
)
def test_every_knob_suggests_values_that_it_takes(attack, name):
    knob = offered(ATTACKS[attack])[name]
    values = suggested(knob)
    assert 2 <= len(values) <= grid.MAX_VALUES
    read = parsed(knob, ", ".join(map(written, values)))
    assert read == tuple(values)


def test_a_cell_opens_the_same_run_on_the_same_sign():
    bare = SparseAttack(a=0.037, prune=False, polish=False)
    same = {"network": "signs-vit", "picture": "yield-1"}
    assert grid.place_of(bare, "signs-vit", "yield-1") == {"prune": "false", "polish": "false", **same}
    assert grid.place_of(SparseAttack(), "signs-vit", "yield-1") == same
    greedy = {"attack": "greedy", "greedy.polish": "false", **same}
    assert grid.place_of(Greedy(polish=False), "signs-vit", "yield-1") == greedy


def test_explore_takes_a_value_between_its_stops_from_a_link():
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in {"a": "0.037", "steps": "10", "polish": "false"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert app.select_slider(key="a").value == 0.037
    app.select_slider(key="tau").set_value(0.1).run()
    assert app.select_slider(key="a").value == 0.037


@pytest.mark.parametrize("kind", ATTACKS.values(), ids=ATTACKS)
def test_the_page_offers_every_knob_that_has_a_range_or_choices(kind):
    assert {*tunable(kind)} <= {*offered(kind)} <= {*knobs(kind)}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_shows_its_question_its_answer_and_its_tables(name):
    app = open_page(EXPERIMENTS_PAGE)
    app.segmented_control(key="experiment").set_value(name).run()
    assert not app.exception
    told = " ".join(each.value for each in app.markdown)
    assert EXPERIMENTS[name].question in told
    assert EXPERIMENTS[name].finding in told
    assert len(app.dataframe) == len(files(name))
    assert bool(app.info) == (not files(name)), "where nothing was measured, that is said"
    assert any(f"experiment {name}" in code.value for code in app.code)
