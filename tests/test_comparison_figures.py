"""Figures of the Compare page: they show exactly the numbers that they are given, in letters that can be read."""

import pytest

from explorer.classifiers import list_classifiers
from explorer.figures import fooled_curves, share_intervals, share_matrix, told
from explorer.numerics import Share

NAMES = ["ResNet", "Adversarially trained"]
SHARES = [[Share(4, 4), Share(1, 4)], [Share(0, 0), Share(0, 3)]]


def test_the_matrix_writes_each_share_into_its_cell_and_a_click_tells_which():
    figure = share_matrix(NAMES, SHARES, "attacked", "looks")
    cells, targets = figure.data
    assert [[*line] for line in cells.z] == [[1, 0.25], [None, 0]]
    assert [[*line] for line in cells.text] == [
        ["<b>100 %</b><br>4/4", "<b>25 %</b><br>1/4"],
        ["–", "<b>0 %</b><br>0/3"],
    ]
    assert (cells.zmin, cells.zmax) == (0, 1)
    assert [(x, y, [*which]) for x, y, which in zip(targets.x, targets.y, targets.customdata, strict=True)] == [
        (0, 0, [0, 0]),
        (1, 0, [0, 1]),
        (0, 1, [1, 0]),
        (1, 1, [1, 1]),
    ]
    assert targets.text[2].endswith("no picture counts")
    assert [*figure.layout.xaxis.ticktext] == ["ResNet", "Adversarially<br>trained"], "no word is broken"
    assert [*figure.layout.yaxis.range] == [1.5, -0.5], "the first row is on top"


def test_every_bundled_networks_name_fits_beside_its_row():
    titles = [card.title.partition(": ")[2] for card in list_classifiers() if card.source == "bundled"]
    figure = share_matrix(titles, [[Share(0, 4)] * len(titles)] * len(titles), "attacked", "looks")
    assert max(title.count("<br>") for title in figure.layout.yaxis.ticktext) <= 2
    assert figure.layout.yaxis.ticklabeloverflow == "allow", "none is left out"


def test_the_curves_are_steps_in_per_cent_and_the_worst_case_lies_behind_them():
    one, other = [Share(0, 4), Share(1, 4), Share(2, 4)], [Share(0, 4), Share(0, 4), Share(3, 4)]
    worst, *curves = fooled_curves({"one": one, "other": other}, [Share(0, 4), Share(1, 4), Share(4, 4)]).data
    assert [*worst.y] == [0, 25, 100, 100], "the last step has a length"
    assert [*worst.x][:3] == [0, 1, 2]
    assert 2 < worst.x[3] < 2.5
    assert [[*curve.y] for curve in curves] == [[0, 25, 50, 50], [0, 0, 75, 75]]
    assert {curve.line.shape for curve in (worst, *curves)} == {"hv"}
    assert len({curve.line.dash for curve in curves}) == 2, "told apart without colours"
    assert len(fooled_curves({"one": one}, one).data) == 1


def test_intervals_stand_beside_one_another_and_what_is_unknown_is_left_out():
    figure = share_intervals(["none", "median"], {"plain": [Share(3, 4), Share(0, 0)], "adaptive": [Share(4, 4)] * 2})
    plain, adaptive = figure.data
    assert [*plain.x] == [75]
    assert [*adaptive.x] == [100, 100]
    assert plain.y[0] < 0 < adaptive.y[0]
    low, high = Share(3, 4).interval
    assert plain.error_x.array[0] == pytest.approx(100 * high - 75)
    assert plain.error_x.arrayminus[0] == pytest.approx(75 - 100 * low)
    assert plain.marker.symbol != adaptive.marker.symbol


def test_a_share_is_told_with_its_interval():
    assert told(Share(8, 10)) == "80 %, 8 of 10 (95 %: 49 to 94 %)"
    assert told(Share(0, 0)) == "no picture counts"
