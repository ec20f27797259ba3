"""The Tune and Experiments pages without a browser: a grid runs, stops and goes on; a cell opens; bad input is said."""

import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from explorer.attacks import ATTACKS, Greedy, RandomSearch, SparseAttack
from explorer.classifiers import CLASSIFIERS
from explorer.knobs import knobs
from explorer.limits import Limits
from explorer.studies import EXPERIMENTS
from explorer.studies.tuning import tunable
from explorer.ui import grid, long_runs, run_files, search, studies
from explorer.ui.experiments import files
from explorer.ui.grid import offered, parsed, suggested, written

TUNE, EXPERIMENTS_PAGE = "explorer/views/tune.py", "explorer/views/experiments.py"
QUICK = {"base_steps": "10", "signs": "2", "values_a": "0.05, 0.1", "values_lam": "0.3, 1"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """What is kept on the disk or on the server by other tests must not answer this one's questions."""
    monkeypatch.setattr(run_files, "ROOT", tmp_path)
    run_files.folder.clear()
    long_runs.long_runs.clear()
    yield
    run_files.folder.clear()


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


def test_it_opens_with_a_finished_grid_and_says_where_it_is_from():
    app = AppTest.from_file("../app.py", default_timeout=120).switch_page(TUNE).run()
    assert not app.exception
    assert re.search(r"All \d+ runs are done. They came with the app", captions(app))
    assert "Run" not in " ".join(each.label for each in app.button)
    for view in ("Pictures", "Curves", "Parallel", "Table", "Map"):
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception, view
    app.segmented_control(key="measure").set_value("seconds").run()
    assert "say nothing of this computer's time" in app.info[0].value
    assert [*run_files.folder().iterdir()] == [], "who only looks makes no file"
    app.text_input(key="values_lam").set_value("0.1, 0.3, 1, 3").run()
    assert re.search(r"\d+ of 168 runs are done. Likely ", captions(app))


def test_a_grid_and_a_search_say_how_long_they_take_before_their_first_run(few_trials):
    takes = r"Likely [\d.]+( to [\d.]+)? (s|min) on this computer"
    assert re.search(f"8 runs. {takes}", captions(open_page()))
    assert re.search(takes, captions(open_search()))


def test_what_was_done_is_found_again_by_its_link_also_after_the_servers_restart():
    app = open_page()
    button(app, "Run 8 runs").click().run()
    finish(app)
    assert "All 8 runs are done." in captions(open_page())
    long_runs.long_runs.clear()
    assert "All 8 runs are done." in captions(open_page())
    assert "8 runs." in captions(open_page(values_a="0.05, 0.2"))


def test_a_stopped_grid_goes_on(monkeypatch):
    def stop_and_advance(study, job):
        if not stopped:
            stopped.append(True)
            job.cancel()
        return advance(study, job)

    advance, stopped = studies._advance, []
    monkeypatch.setattr(studies, "_advance", stop_and_advance)
    app = open_page(signs="4", values_a="0.03,0.05,0.1,0.2")
    button(app, "Run 32 runs").click().run()
    run = next(iter(long_runs.long_runs()._kept.values()))
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
    monkeypatch.setattr(grid, "limits", lambda: Limits(grid_runs=7))
    (error,) = open_page().error
    assert "That is 8 runs, and a page does 7 at most" in error.value
    assert Limits().grid_runs >= 8 * 8 * 4


def test_no_network_is_one_sentence():
    app = open_page()
    app.multiselect(key="networks").set_value([]).run()
    assert [error.value for error in app.error] == ["Choose at least one network."]


@pytest.fixture
def few_trials(monkeypatch):
    monkeypatch.setattr(search, "TRIALS", (2, 200, 3))


def open_search(**link: str) -> AppTest:
    app = open_page(part="Find the best for me", base_steps="20", **link)
    assert not app.exception
    assert not app.error
    return app


def told(app: AppTest) -> str:
    return " ".join(each.value for each in app.markdown)


def test_the_search_runs_recommends_and_checks(few_trials):
    app = open_search(trials="3")
    app.multiselect(key="over").set_value(["tau", "momentum"]).run()
    button(app, "Search").click().run()
    finish(app)
    assert not app.exception
    assert "Recommended" in told(app)
    assert "on average, on the 2 pictures of the search" in told(app)
    assert "On 2 other pictures" in told(app)
    assert "Of these others" in told(app)
    assert "3 of 3 trials" in captions(app)


def test_a_finished_search_is_whole_after_the_servers_restart(few_trials):
    app = open_search()
    button(app, "Search").click().run()
    finish(app)
    before = told(app)
    assert "On 2 other pictures" in before
    long_runs.long_runs.clear()
    again = open_search()
    assert told(again) == before
    assert not {"Search", "Go on"} & {each.label for each in again.button}


def test_each_visitor_has_the_trials_that_he_asked_for(few_trials):
    more, fewer = open_search(trials="4"), open_search(trials="2")
    button(more, "Search").click().run()
    finish(fewer.run())
    finish(more)
    assert "4 of 4 trials" in captions(more), "nobody ended it early"
    fewer.run()
    assert "4 trials, as somebody asked for more than 2, each on 2 pictures" in captions(fewer)
    assert len([*run_files.folder().glob("*.db")]) == 1, "they share what is done"


def test_who_only_looks_makes_no_database(few_trials, tmp_path):
    app = open_search()
    app.slider(key="base_momentum").set_value(0.5).run()
    app.slider(key="base_momentum").set_value(0.7).run()
    assert not app.exception
    assert [*tmp_path.iterdir()] == []


def test_a_search_obeys_what_is_chosen_above_it(few_trials):
    app = open_search(
        signs="3", search_refined="false", networks=[CLASSIFIERS[name].title for name in ("signs-cnn", "signs-vit")]
    )
    assert "each on 3 pictures with Road signs: plain CNN" in captions(app)
    assert "A search is for one network" in captions(app)
    (run,) = long_runs.long_runs()._kept.values()
    base = run.of.task.base
    assert (base.prune, base.polish) == (False, False)
    app.toggle(key="search_refined").set_value(True).run()
    run = [*long_runs.long_runs()._kept.values()][-1]
    assert run.of.task.base.prune
    assert "lam" not in app.multiselect(key="over").options
    assert knobs(SparseAttack)["lam"].label in app.multiselect(key="over").options


def test_a_search_needs_a_picture_to_check_on():
    app = open_page(part="Find the best for me", signs="55")
    (error,) = app.error
    assert "choose 54 at most, not all 55" in error.value


@pytest.mark.parametrize(
    ("attack", "name"), [(attack, name) for attack in ATTACKS for name in offered(ATTACKS[attack])]
)
def test_every_knob_suggests_values_that_it_takes(attack, name):
    knob = offered(ATTACKS[attack])[name]
    values = suggested(knob)
    assert 2 <= len(values) <= grid.MAX_VALUES
    assert parsed(knob, written(values)) == tuple(values)


def test_a_cell_opens_the_same_run_on_the_same_sign():
    bare = SparseAttack(a=0.037, steps=10, surrogate="sigmoid", prune=False, polish=False)
    same = {"network": "signs-vit", "picture": "yield-1"}
    changed = {"a": "0.037", "steps": "10", "surrogate": "sigmoid", "prune": "false", "polish": "false"}
    assert grid.place_of(bare, "signs-vit", "yield-1") == {**changed, **same}
    assert grid.place_of(SparseAttack(), "signs-vit", "yield-1") == same
    greedy = {"attack": "greedy", "greedy.polish": "false", **same}
    assert grid.place_of(Greedy(polish=False), "signs-vit", "yield-1") == greedy


@pytest.mark.parametrize(
    "setting",
    [
        SparseAttack(a=0.037, steps=10, surrogate="sigmoid", prune=False, polish=False),
        Greedy(steps=17, polish=False),
        RandomSearch(queries=137, k=7, max_change=0.987),
    ],
)
def test_explore_takes_every_setting_from_the_address_of_a_cell(setting):
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in grid.place_of(setting, "signs-vit", "yield-1").items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert app.session_state.session.shown.attack == setting


def test_the_current_setting_decides_nothing_that_the_grid_sets_itself():
    app = open_page()
    button(app, "Run 8 runs").click().run()
    finish(app)
    app.select_slider(key="base_a").set_value(0.2).run()
    assert "All 8 runs are done." in captions(app)
    app.slider(key="base_momentum").set_value(0.5).run()
    assert "8 runs." in captions(app)


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


@pytest.mark.parametrize(
    ("page", "name"),
    [
        *((TUNE, name) for name in ("part", "networks", "x", "z", "view", "refined", "base_box")),
        (EXPERIMENTS_PAGE, "experiment"),
    ],
)
def test_what_a_link_asks_for_and_is_not_offered_is_said(page, name):
    app = open_page(page, **{name: "zzz"})
    assert not app.exception
    said = [f"The link asks for zzz as {name}, which is not offered here: another choice is shown."]
    assert [each.value for each in app.warning] == [] if name == "view" else said, "no view before there are results"


def test_the_settings_to_tune_are_called_by_their_labels():
    app = open_search(over=[knobs(SparseAttack)["lam"].label, "lam", "tau"])
    assert [each.value for each in app.warning] == [
        "The link asks for lam, tau as over, which is not offered here: another choice is shown."
    ]


def test_numbers_of_a_link_are_read_in_full_or_put_right():
    link = {"trials": "9999", "base_a": "0.0371234567", "base_steps": "many"}
    app = open_page(part="Find the best for me", **link)
    assert not app.exception
    assert app.slider(key="trials").value == 200
    assert app.select_slider(key="base_a").value == 0.0371234567
    assert app.slider(key="base_steps").value == SparseAttack().steps
    asked = sorted(each.value.partition(" as ")[0] for each in app.warning)
    assert asked == ["The link asks for 9999", "The link asks for many"]
