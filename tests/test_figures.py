"""The figures say what the numbers say: values, units, marks, and which pixel a marker belongs to."""

import json

import pytest
import torch

from explorer.figures import (
    attack_trace,
    order_curve,
    pixel_lives,
    pixel_scatter,
    signed_map,
    top_classes,
    truth_rates,
)
from explorer.palette import LOOKS
from explorer.types import PixelLabel, Trace


def label(row: int, obscuring: float, leading: float, weak: bool = False) -> PixelLabel:
    kind = "obscuring" if obscuring >= leading else "leading"
    return PixelLabel(row, 7, (0, 0, 0), (9, 9, 9), obscuring, leading, kind, weak, obscuring, leading, kind)


PIXELS = (label(1, 2.0, 0.5), label(2, -0.1, 1.5), label(3, 0.3, 0.31, weak=True))


def markers(figure) -> list:
    return [trace for trace in figure.data if trace.customdata is not None]


def test_every_changed_pixel_is_one_marker_that_knows_its_index():
    placed = {}
    for trace in markers(pixel_scatter(PIXELS)):
        for x, y, (index,) in zip(trace.x, trace.y, trace.customdata, strict=True):
            placed[index] = (x, y, trace.name)
    assert placed == {i: (pixel.obscuring, pixel.leading, pixel.kind) for i, pixel in enumerate(PIXELS)}


def test_the_kinds_differ_by_colour_and_by_shape_and_weak_labels_are_hollow():
    obscuring, leading = markers(pixel_scatter(PIXELS))
    assert obscuring.marker.color == LOOKS["obscuring"].css != leading.marker.color
    assert list(obscuring.marker.symbol) == ["circle"]
    assert list(leading.marker.symbol) == ["diamond", "diamond-open"]


def test_the_diagonal_spans_the_whole_square():
    figure = pixel_scatter(PIXELS)
    diagonal = figure.data[0]
    assert diagonal.x == diagonal.y
    assert figure.layout.xaxis.range == figure.layout.yaxis.range == diagonal.x
    numbers = [number for pixel in PIXELS for number in (pixel.obscuring, pixel.leading)]
    assert diagonal.x[0] < min(numbers)
    assert max(numbers) < diagonal.x[1]


def test_the_selected_pixel_wears_a_ring():
    rings = [trace for trace in pixel_scatter(PIXELS, selected=(1,)).data if trace.marker.symbol == "circle-open"]
    assert [(ring.x, ring.y) for ring in rings] == [((-0.1,), (1.5,))]
    (ring,) = [t for t in pixel_scatter(PIXELS, selected=(0, 2)).data if t.marker.symbol == "circle-open"]
    assert ring.x == (2.0, 0.3)


@pytest.mark.parametrize("pixels", [(), PIXELS[:1], (label(0, 0.0, 0.0),)])
def test_a_scatter_of_few_or_no_pixels_is_still_a_figure(pixels):
    low, high = pixel_scatter(pixels).layout.xaxis.range
    assert low < high


def test_bars_show_per_cent_before_and_after():
    figure = top_classes(["Stop", "Yield"], [0.99, 0.001], [0.2, 0.7])
    assert {bar.name: list(bar.x) for bar in figure.data} == {
        "before": pytest.approx([99, 0.1]),
        "after": pytest.approx([20, 70]),
    }
    assert [bar.text[0] for bar in figure.data] == ["99.0 %", "20.0 %"]


def test_bars_of_what_is_seen_now_come_third_and_carry_the_numbers():
    figure = top_classes(["Stop", "Yield"], [0.99, 0.001], [0.2, 0.7], [0.5, 0.4])
    assert [bar.name for bar in figure.data] == ["before", "after", "now"]
    assert [bar.text is None for bar in figure.data] == [True, True, False]
    assert list(figure.data[2].text) == ["50.0 %", "40.0 %"]


def test_the_trace_shows_one_image_of_the_batch():
    steps = torch.arange(6.0).reshape(3, 2)
    margin, n_pixels = attack_trace(Trace(margin=steps, n_pixels=steps.int() + 10, loss=steps), image=1).data
    assert list(margin.x) == [1, 2, 3]
    assert list(margin.y) == [1, 3, 5]
    assert list(n_pixels.y) == [11, 13, 15]


FIGURES = {
    "scatter": pixel_scatter(PIXELS),
    "bars": top_classes(["Stop"], [0.9], [0.1]),
    "trace": attack_trace(Trace(*(torch.ones(4, 1),) * 3)),
    "curve": order_curve((1.0, 0.0), (1.0, 0.0), "put back into the attacked picture"),
    "lives": pixel_lives({17: [(0, 1)]}, 10, 2, PIXELS),
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_every_value_axis_names_its_unit(figure):
    titles = [axis.title.text for axis in [*figure.select_xaxes(), *figure.select_yaxes()] if axis.title.text]
    assert titles
    assert all(title.endswith(("logits", "%", "pixels", "step", "frame", "row, column", "picture")) for title in titles)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_figures_are_plain_json(figure):
    assert json.loads(figure.to_json())


def test_a_map_is_raw_signed_and_on_the_scale_that_is_stated():
    values = torch.linspace(-2, 3, 100).view(10, 10).numpy()
    figure = signed_map(values, 4.0, PIXELS, selected=(1,))
    heat, marks = figure.data
    assert (heat.zmin, heat.zmax) == (-4, 4)
    assert heat.z[9][9] == pytest.approx(3)
    assert [custom[0] for custom in marks.customdata] == [0, 1, 2]
    assert list(zip(marks.x, marks.y, strict=True)) == [(7, 1), (7, 2), (7, 3)]
    assert marks.marker.size[1] > marks.marker.size[0]


def test_a_curve_is_drawn_beside_chance():
    chance, scored = order_curve((1.0, 0.2, 0.0), (1.0, 0.5, 0.0), "put back").data
    assert list(scored.y) == [100, 20, 0]
    assert list(chance.y) == [100, 50, 0]
    assert list(scored.x) == [0, 1, 2]


def test_lives_are_lines_from_coming_to_going_in_the_colour_of_their_kind():
    lives = {1 * 10 + 7: [(2, 4), (6, 9)], 55: [(0, 3)]}
    figure = pixel_lives(lives, 10, 10, PIXELS)
    kept = next(trace for trace in figure.data if trace.name == "obscuring")
    gone = next(trace for trace in figure.data if trace.name == "gone again")
    assert list(kept.x) == [2, 5, None, 6, 10, None]
    assert set(kept.y) == {"1, 7", None}
    assert list(gone.x) == [0, 4, None]


def test_truth_is_drawn_with_its_interval_beside_chance():
    row = {
        f"{key}{end}": value
        for key, values in {"obscuring_on_true": (0.4, 0.3, 0.6), "obscuring_chance": (0.1, 0.1, 0.1)}.items()
        for end, value in zip(("", "_low", "_high"), values, strict=True)
    }
    chance, found = truth_rates(["Shapley values"], [row], "obscuring").data
    assert list(found.x) == [40]
    assert list(found.error_x.array) == [pytest.approx(20)]
    assert list(found.error_x.arrayminus) == [pytest.approx(10)]
    assert list(chance.x) == [10]
    unknown = {**row, "obscuring_on_true": float("nan")}
    assert list(truth_rates(["Grad-CAM"], [unknown], "obscuring").data[1].x) == []
