"""The figures say what the numbers say: values, units, marks, and which pixel a marker belongs to."""

import json
import math
import warnings

import optuna
import pytest
import torch

from explorer.figures import (
    Cell,
    Curve,
    attack_trace,
    constant,
    fooled_curves,
    front,
    heat_map,
    history,
    importance,
    order_curve,
    parallel,
    pareto,
    pixel_lives,
    pixel_scatter,
    response,
    room_of,
    share_intervals,
    share_matrix,
    signed_map,
    smoothed_step,
    threshold_of,
    top_classes,
    truth_rates,
    truth_reach,
)
from explorer.figures.scales import log_ticks, place, short, spans_decades
from explorer.numerics import Share
from explorer.palette import LOOKS
from explorer.types import PixelLabel, Trace


def label(row: int, obscuring: float, leading: float, weak: bool = False) -> PixelLabel:
    kind = "obscuring" if obscuring >= leading else "leading"
    return PixelLabel(row, 7, (0, 0, 0), (9, 9, 9), obscuring, leading, kind, weak, obscuring, leading, kind)


PIXELS = (label(1, 2.0, 0.5), label(2, -0.1, 1.5), label(3, 0.3, 0.31, weak=True))


def markers(figure) -> list:
    return [trace for trace in figure.data if trace.customdata is not None]


def rings(figure) -> list:
    return [trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "circle-open"]


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
    figure = pixel_scatter(PIXELS, selected=(1,))
    assert [(ring.x, ring.y) for ring in rings(figure)] == [((-0.1,), (1.5,))]
    (ring,) = rings(pixel_scatter(PIXELS, selected=(0, 2)))
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


def test_before_and_after_have_the_same_colours_with_and_without_now():
    shares = [0.99], [0.2], [0.5]
    two, three = ([bar.marker.color for bar in top_classes(["Stop"], *given).data] for given in (shares[:2], shares))
    assert three[:2] == two
    assert len(set(three)) == 3
    assert all(colour.startswith("rgb(") for colour in three), "half transparent, it fades into a dark page"
    assert {bar.constraintext for bar in top_classes(["Stop"], *shares).data} == {"none"}


def test_the_trace_shows_one_image_of_the_batch():
    steps = torch.arange(6.0).reshape(3, 2)
    margin, n_pixels = attack_trace(Trace(margin=steps, n_pixels=steps.int() + 10, loss=steps), image=1).data
    assert list(margin.x) == [1, 2, 3]
    assert list(margin.y) == [1, 3, 5]
    assert list(n_pixels.y) == [11, 13, 15]


CELLS = [Cell(a, lam, "", 10.0 * a * lam, i) for i, (a, lam) in enumerate([(0.1, 1), (1.0, 1), (0.1, 10), (1.0, 10)])]


def test_every_cell_of_a_map_can_be_clicked_and_holds_its_value():
    figure = heat_map(CELLS, ("a", "λ", ""), "changed pixels", {"a": 0.1, "λ": 10}, best_is_low=True)
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert [[float(text) for text in row] for row in heat.text] == [[1, 10], [10, 100]]
    assert [list(row) for row in heat.z] == [[0, 1], [1, 2]], "logarithmic, since it spans decades"
    (targets,) = markers(figure)
    places = {(x, y): cell for x, y, (cell,) in zip(targets.x, targets.y, targets.customdata, strict=True)}
    assert places == {(0, 0): 0, (1, 0): 1, (0, 1): 2, (1, 1): 3}
    (ring,) = rings(figure)
    assert (ring.x, ring.y) == ((0,), (1,))


def test_a_map_has_one_panel_per_value_of_the_third_knob_and_marks_its_own():
    cells = [Cell(x, y, facet, 1.0, 0) for x in (1, 2) for y in (1, 2) for facet in ("normal", "sigmoid")]
    figure = heat_map(
        cells, ("a", "λ", "surrogate"), "pixels", {"a": 1.5, "λ": 1, "surrogate": "sigmoid"}, best_is_low=True
    )
    assert [note.text for note in figure.layout.annotations] == ["surrogate = normal", "surrogate = sigmoid"]
    assert sum(trace.type == "heatmap" for trace in figure.data) == 2
    (ring,) = rings(figure)
    assert ring.xaxis == "x2"


def test_a_map_shows_pictures_in_the_place_of_colours():
    cells = [Cell(1, y, "", 1.0, y, "data:image/png;base64,AAAA" if y else "") for y in (0, 1)]
    figure = heat_map(cells, ("a", "λ", ""), "pixels", {}, best_is_low=True)
    assert not [trace for trace in figure.data if trace.type == "heatmap"]
    (image,) = figure.layout.images
    assert (image.x, image.y) == (0, 1)


@pytest.mark.parametrize(
    ("value", "stops", "expected"),
    [(0.1, [0.01, 0.1, 1], 1), (10**-0.5, [0.01, 0.1, 1], 1.5), (3, [0, 2, 4], 1.5), (5, [0, 2, 4], None),
     ("b", ["a", "b"], 1), ("c", ["a", "b"], None), (None, [1, 2], None)],
)  # fmt: skip
def test_a_value_has_its_place_between_the_stops(value, stops, expected):
    assert place(value, stops) == (None if expected is None else pytest.approx(expected))


def test_logarithmic_axes_have_round_ticks_not_too_many():
    assert log_ticks([3, 40]) == pytest.approx([1, 2, 5, 10, 20, 50, 100, 200, 500])
    assert log_ticks([0.02, 90]) == pytest.approx([0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300])
    assert log_ticks([1, 1e6])[:3] == pytest.approx([1, 10, 100])


def test_axes_are_logarithmic_where_they_span_decades():
    assert spans_decades([0.1, 1])
    assert not any(map(spans_decades, ([0.1, 0.9], [0, 10], ["normal"], [], [True, 10])))
    figure = response([Curve("", [0.01, 0.1, 1], [1, 2, 3], [1, 1, 1], [3, 3, 3])], "a", "changed pixels", 0.1)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "linear")
    assert figure.layout.annotations[0].x == -1, "an annotation on a logarithmic axis wants the logarithm"
    assert [short(value) for value in (4096, 0.12345, "normal", float("nan"), None)] == [
        "4,096",
        "0.123",
        "normal",
        "–",
        "–",
    ]


def test_a_share_keeps_its_axis_though_it_spans_a_decade():
    curves = [Curve("", [1, 2, 3], [0.02, 0.5, 1.0])]
    assert response(curves, "a", "smoothed over true count").layout.yaxis.type == "log"
    assert tuple(response(curves, "a", "fooled, share", share=True).layout.yaxis.range) == (-0.05, 1.05)


def test_a_curve_wears_its_band_and_skips_what_is_unknown():
    nan = float("nan")
    band, line = response([Curve("λ 1", [1, 2, 3], [4, nan, 6], [3, nan, 5], [5, nan, 7])], "a", "pixels").data
    assert (band.x, band.y) == ((1, 3, 3, 1), (3, 5, 7, 5)) or (band.x, band.y) == ((1, 3, 3, 1), (5, 7, 5, 3))
    assert (line.name, line.mode) == ("λ 1", "lines+markers")


SETTINGS = [
    {"pixels": pixels, "success": success, "front_success": front, "index": i, "text": f"setting {i}", "a": 10.0**-i}
    for i, (pixels, success, front) in enumerate([(1.0, 0.5, True), (20.0, 1.0, True), (30.0, 0.9, False)])
]


def test_the_front_is_a_line_through_the_best_and_all_settings_can_be_clicked():
    every, front = pareto(SETTINGS, "success", "share fooled").data
    assert [index for (index,) in every.customdata] == [0, 1, 2]
    assert (front.x, front.y) == ((1, 20), (0.5, 1.0))
    assert front.mode == "lines+markers"


def test_parallel_coordinates_have_one_line_per_setting_and_logarithmic_stops():
    (trace,) = parallel(SETTINGS, {"a": "a", "success": "share fooled"}).data
    assert [dimension.label for dimension in trace.dimensions] == ["a", "share fooled"]
    assert trace.dimensions[0].values == (0, -1, -2)
    assert trace.dimensions[0].ticktext == ("0.01", "0.1", "1")


def test_the_three_sliders_are_seen_acting_on_a_weight():
    weights, fixed = torch.tensor([0.0, 0.5, 1.0]), {"surrogate": "normal", "extremes": (0.3, 0.05)}

    def drawn(a: float = 0.1, lam: float | None = 1.0, tau: float = 0.05):
        return smoothed_step(weights, a=a, lam=lam, tau=tau, **fixed)

    def longest(figure) -> float:
        return max((arrow.ax - arrow.x for arrow in figure.layout.annotations if arrow.showarrow), default=0)

    named = {trace.name: trace for trace in drawn().data}
    assert list(named["weights above 0, at the last step"].x) == [0.5, 1.0]
    middle, wide = 100, {trace.name: trace for trace in drawn(a=0.4).data}  # v = 0.5
    assert named["smoothed step"].y[middle] > wide["smoothed step"].y[middle] > 0.5
    assert longest(drawn(lam=0.01)) < longest(drawn(lam=0.3)) < longest(drawn(lam=1.0))
    assert longest(drawn(lam=None)) == 0
    assert all(arrow.x >= 0 for arrow in drawn(lam=10.0).layout.annotations)
    assert [drawn(tau=tau).layout.shapes[0].x1 for tau in (0.05, 0.5)] == [0.05, 0.5]


def test_the_threshold_and_the_box_are_drawn_as_they_are():
    hard, soft = ({trace.name: trace for trace in threshold_of(0.25, kind).data} for kind in ("hard", "soft"))
    assert hard["after the threshold"].y[100] == 0.5
    assert soft["after the threshold"].y[100] == 0.25
    assert hard["after the threshold"].y[40] == soft["after the threshold"].y[40] == 0
    room = {trace.name: trace for trace in room_of("sign-aware", torch.rand(3, 4, 4)).data}
    assert room["room upwards"].y[0] == 1
    assert sum(count for (count,) in room["values of the picture"].customdata) == 48


def test_what_is_the_same_everywhere_is_told_and_not_drawn():
    same = [Curve("", (1, 2), (1.0, 1.0)), Curve("", (1, 2), (1.0, math.nan))]
    assert constant(same) == 1
    assert constant([*same, Curve("", (1,), (0.5,))]) is None
    assert constant([]) is None


FIGURES = {
    "scatter": pixel_scatter(PIXELS),
    "bars": top_classes(["Stop"], [0.9], [0.1]),
    "trace": attack_trace(Trace(*(torch.ones(4, 1),) * 3)),
    "curve": order_curve((1.0, 0.0), (1.0, 0.0), "put back into the attacked picture"),
    "lives": pixel_lives({17: [(0, 1)]}, 10, ["clean", "optimised"], PIXELS),
    "pareto": pareto(SETTINGS, "success", "share fooled, %"),
    "map": heat_map(CELLS, ("a, pixels", "λ, pixels", ""), "changed pixels", {}, best_is_low=True),
    "response": response([Curve("", [1, 2], [1, 2])], "step", "changed pixels"),
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_every_value_axis_names_its_unit(figure):
    titles = [axis.title.text for axis in [*figure.select_xaxes(), *figure.select_yaxes()] if axis.title.text]
    assert titles
    units = ("logits", "%", "pixels", "pixels, mean", "step", "row, column", "picture", "frame of the film")
    assert all(title.endswith(units) for title in titles)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_figures_are_plain_json(figure):
    assert json.loads(figure.to_json())


def test_a_map_is_raw_signed_and_on_the_scale_that_is_stated():
    values = torch.linspace(-2, 3, 100).view(10, 10).numpy()
    figure = signed_map(values, 4.0, PIXELS, selected=(1,))
    heat, marks = figure.data
    assert (heat.zmin, heat.zmax) == (-4, 4)
    assert heat.colorbar.tickvals == (-4, 0, 4)
    assert heat.z[9][9] == pytest.approx(3)
    assert [custom[0] for custom in marks.customdata] == [0, 1, 2]
    assert list(zip(marks.x, marks.y, strict=True)) == [(7, 1), (7, 2), (7, 3)]
    assert marks.marker.size[1] > marks.marker.size[0]


def test_a_map_says_its_unit_and_the_numbers_of_each_mark():
    heat, marks = signed_map(torch.zeros(10, 10).numpy(), 1.0, PIXELS, (), "logits per unit of colour", "shares").data
    assert "%{z:.4f} logits per unit of colour" in heat.hovertemplate
    numbers = "obscuring -0.10 shares<br>leading 1.50 shares<br>here 0.0000 logits per unit of colour"
    assert marks.text[1] == f"row 2, column 7: ◆ leading<br>{numbers}"
    assert heat.colorbar.orientation == "h", "beside the map it leaves half of a small screen"


def test_a_curve_is_drawn_beside_chance():
    chance, scored = order_curve((1.0, 0.2, 0.0), (1.0, 0.5, 0.0), "put back").data
    assert list(scored.y) == [100, 20, 0]
    assert list(chance.y) == [100, 50, 0]
    assert list(scored.x) == [0, 1, 2]


STAGES = ["clean", *["optimised"] * 6, "pruned", "polished", "polished"]


def test_lives_are_lines_from_coming_to_going_in_the_colour_of_their_kind():
    lives = {1 * 10 + 7: [(2, 4), (6, 9)], 55: [(0, 3)]}
    figure = pixel_lives(lives, 10, STAGES, PIXELS)
    kept = next(trace for trace in figure.data if trace.name == "obscuring")
    gone = next(trace for trace in figure.data if trace.name == "gone again")
    assert list(kept.x) == [2, 5, None, 6, 10, None]
    assert set(kept.y) == {"1, 7", None}
    assert kept.text[3] == "row, column 1, 7: frames 6 (optimised) to 9 (polished)"
    assert list(gone.x) == [0, 4, None]


def test_lives_name_the_stages_where_they_begin_and_thicken_what_is_selected():
    lives = {1 * 10 + 7: [(2, 4)], 2 * 10 + 7: [(6, 9)]}
    figure = pixel_lives(lives, 10, STAGES, PIXELS, selected=(1,))
    assert [(flag.text, flag.x) for flag in figure.layout.annotations] == [
        ("optimised", 1),
        ("pruned", 7),
        ("polished", 8),
    ]
    assert [line.x0 for line in figure.layout.shapes] == [1, 7, 8]
    (thick,) = [trace for trace in figure.data if trace.line.width > 7 and trace.x]
    assert set(thick.y) == {"2, 7", None}


def test_truth_is_drawn_with_its_interval_beside_chance():
    row = {
        f"{key}{end}": value
        for key, values in {"obscuring_on_true": (0.4, 0.3, 0.6), "obscuring_chance": (0.1, 0.1, 0.1)}.items()
        for end, value in zip(("", "_low", "_high"), values, strict=True)
    }
    chance, found = truth_rates(["Shapley values"], [row], "obscuring", 65).data
    assert list(found.x) == [40]
    assert list(found.error_x.array) == [pytest.approx(20)]
    assert list(found.error_x.arrayminus) == [pytest.approx(10)]
    assert list(chance.x) == [10]
    leading = {f"{key}{end}": 0.72 for key in ("leading_on_wrong", "leading_chance") for end in ("", "_low", "_high")}
    assert truth_reach([row | leading]) == 75, "both kinds of pixel have the same scale"
    unknown = {**row, "obscuring_on_true": float("nan")}
    assert list(truth_rates(["Grad-CAM"], [unknown], "obscuring", 65).data[1].x) == []


def test_a_study_calls_its_knobs_by_their_labels():
    study = optuna.create_study(directions=["minimize"] * 2)
    for number in range(20):
        study.add_trial(
            optuna.trial.create_trial(
                params={"lam": number / 20, "a": 0.5 + number % 3 / 10},
                distributions={name: optuna.distributions.FloatDistribution(0, 1) for name in ("lam", "a")},
                values=[number + number % 3 / 10, 0.0],
            )
        )
    (bars,) = importance(study, 0, "pixels", {"lam": "λ · sparsity", "a": "a · width"}).data
    assert {*bars.y} == {"λ · sparsity", "a · width"}
    assert "lam" not in str(bars.hovertemplate)


HOSTILE = '<a href="http://example.com">n</a><br><b>'


def test_no_name_is_markup_in_any_label_or_hover_text():
    """Of networks, classes, attacks and defences; Plotly makes a link of <a href> wherever it writes."""
    curve = Curve(HOSTILE, [1.0, 2.0], [3.0, 4.0], [2.0, 3.0], [4.0, 5.0])
    cells = [Cell(x, y, HOSTILE, 1.0, 0) for x in (1, 2) for y in (1, 2)]
    shares, row = [Share(1, 2)] * 2, {"pixels": 1.0, "success": 0.5, "text": HOSTILE, "index": 0, "front_success": True}
    figures = {
        "classes": top_classes([HOSTILE, "b"], [0.5, 0.5], [0.5, 0.5]),
        "curves": response([curve], "a", "pixels"),
        "map": heat_map(cells, ("a", "b", HOSTILE), "pixels", {}, best_is_low=True),
        "matrix": share_matrix([HOSTILE, "b"], [shares, shares], "rows", "columns"),
        "steps": fooled_curves({HOSTILE: shares, "b": shares}, shares),
        "intervals": share_intervals([HOSTILE, "b"], {HOSTILE: shares}),
        "front": pareto([row], "success", "share fooled"),
    }
    for name, figure in figures.items():
        written = figure.to_json().replace("\\u003c", "<")
        assert "<a" not in written, name
        assert "a&lt;" in written or "&lt;a" in written, f"{name} says it"


def test_what_a_database_holds_of_a_trial_is_not_in_its_hover_text():
    study = optuna.create_study(directions=["minimize", "maximize", "minimize"])
    distributions = {"a": optuna.distributions.FloatDistribution(0.0, 1.0)}
    for a in (0.1, 0.2):
        study.add_trial(
            optuna.trial.create_trial(
                params={"a": a}, distributions=distributions, values=[1, 1, 1], user_attrs={HOSTILE: HOSTILE}
            )
        )
    with warnings.catch_warnings(action="ignore"):
        for figure in (history(study, 0, "pixels"), front(study, (0, "pixels"), (2, "seconds"))):
            assert "example.com" not in figure.to_json()
