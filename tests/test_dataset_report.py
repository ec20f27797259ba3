"""What a study found, against small tables made by hand; and the report: it opens offline, and nothing escapes it."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from explorer.attacks import SparseAttack
from explorer.figures import class_flow, class_shares, embedded, marked, pixel_histogram, place_map
from explorer.numerics import Share
from explorer.samples import Listed
from explorer.studies.dataset import DataSetStudy, Told, findings, gather, record_of, report, to_frame
from explorer.studies.dataset.wording import class_rows, kind_intervals, overview_rows, place_rows, sentence
from tests.halves import halves, picture

EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)"><a href="https://example.org">&'


def line(network="net", true="A", wrong="B", change="", kinds="", label=0, **more) -> dict:
    n = len(change.split())
    letters = kinds.upper()
    return {
        "network": network, "picture": f"{network}-{true}-{wrong}-{change}", "true_class": true, "class_known": True,
        "wrong_class": wrong, "succeeded": bool(wrong), "n_pixels": n, "n_entries": 3 * n,
        "obscuring": letters.count("O"), "leading": letters.count("L"), "weak": sum(map(str.islower, kinds)),
        "trust": "green", "seconds": 1.0, "label_seconds": 0.5, "height": 8, "width": 8, "change": change,
        "kinds": kinds, "label": label,
    } | more  # fmt: skip


TABLE = to_frame(
    [
        line(change="0,0#ff0000 4,4#00ff00", kinds="OL"),
        line(change="0,0#ff0000", kinds="o", true="A", wrong="C"),
        line(change="0,0#0000ff 2,2#ffffff 3,3#ffffff 7,7#ffffff", kinds="LLLO", true="B", wrong="A", label=1),
        line(wrong="", true="B", change="1,1#ffffff", label=1),
        line(network="other", change="5,5#123456", kinds="L", true="B", wrong="C", label=1),
    ]
)


def test_an_overview_is_counted_by_hand():
    net, other = findings.overviews(TABLE, [])
    assert (net.network, net.pictures, net.fooled, net.right) == ("net", 4, Share(3, 4), Share(0, 0))
    assert net.pixels == (7 / 3, 1.5, 2.0, 3.0)
    assert net.entries == 7
    assert net.part == pytest.approx(7 / 3 / 64)
    assert (net.obscuring.value, net.weak.value) == (3 / 7, 1 / 7)
    assert math.isnan(net.obscuring.low), "three pictures are too few for an interval"
    assert net.trust == {"green": 3, "amber": 0, "red": 0}
    assert net.seconds == 1.5
    assert other.fooled == Share(1, 1)
    told = sentence(net)
    assert told.startswith("net: 3 of 4 pictures are fooled, by 2.3 pixels on average (median 2); 43 %")
    rows = {row[""]: row["net"] for row in overview_rows([net, other])}
    assert rows["fooled"] == "3 of 4, 75 % (30 to 95)"
    assert rows["seen correctly"] == "–"
    assert rows["pixels, quartiles"] == "2 / 2 / 3"


def test_a_network_that_is_never_fooled_has_numbers_all_the_same():
    (view,) = findings.overviews(to_frame([line(wrong="", change="1,1#ffffff")]), [])
    assert sentence(view) == "net: none of 1 pictures is fooled."
    assert {row["net"] for row in overview_rows([view])} >= {"–", "0 of 1, 0 % (0 to 79)"}


def test_changes_that_were_not_kept_are_counted_and_not_drawn():
    frame = to_frame([line(change="", n_pixels=2000)])
    (view,) = findings.overviews(frame, [])
    assert sentence(view) == "net: 1 of 1 pictures are fooled, by 2000.0 pixels on average (median 2000)."
    assert findings.places(frame, "net") is None
    assert findings.recurring(frame, "net").places == ()
    assert findings.pixel_counts(frame) == {"net": [2000]}


def test_pixels_and_budgets():
    assert findings.pixel_counts(TABLE) == {"net": [2, 1, 4], "other": [1]}
    curve = findings.fooled_within(TABLE, 4)["net"]
    assert [share.hits for share in curve] == [0, 1, 2, 2, 3]
    assert {share.of for share in curve} == {4}


def test_flows_are_counted_and_rare_classes_folded():
    assert findings.flows(TABLE, "net") == [("A", "B", 1), ("A", "C", 1), ("B", "A", 1)]
    many = to_frame([line(true=f"class {i % 5}", wrong=f"wrong {i % 3}", change="0,0#ff0000") for i in range(15)])
    assert sum(count for _, _, count in findings.flows(many, "net", most=2)) == 15
    found = findings.flows(many, "net", most=2)
    assert {true for true, _, _ in found} == {"class 0", "class 1", findings.OTHERS}
    assert {wrong for _, wrong, _ in found} == {"wrong 0", "wrong 1", findings.OTHERS}


def test_kinds_by_class_and_network_in_the_networks_order():
    rows = class_rows(TABLE)
    assert [(row["class"], row["network"], row["fooled"]) for row in rows] == [
        ("A", "net", "2 of 2"),
        ("B", "net", "1 of 2"),
        ("B", "other", "1 of 1"),
    ]
    assert rows[0]["obscuring"] == "67 %"
    assert rows[0]["most often seen as"] == "B (1)"
    names, series = kind_intervals(TABLE)
    assert names == ["All classes", "A", "B"]
    assert [each[0] for each in series["net"]] == [3 / 7, 2 / 3, 1 / 4]
    assert math.isnan(series["other"][1][0])


def test_an_interval_by_pictures_is_wider_than_by_pixels():
    """Pictures whose pixels are all of one kind: 200 pixels, but only ten independent draws."""
    frame = to_frame(
        [line(picture=str(i), change="0,0#ff0000 " * 20, kinds=("O" if i % 2 else "L") * 20) for i in range(10)]
    )
    (view,) = findings.overviews(frame, [])
    assert view.obscuring.value == 0.5
    by_pixels = Share(100, 200).interval
    assert view.obscuring.high - view.obscuring.low > 3 * (by_pixels[1] - by_pixels[0])


def test_places_are_counted_in_cells():
    found = findings.places(TABLE, "net")
    assert (found.side, found.size) == (1, (8, 8))
    expected = np.zeros((8, 8), int)
    for row, col, n in ((0, 0, 3), (4, 4, 1), (2, 2, 1), (3, 3, 1), (7, 7, 1)):
        expected[row, col] = n
    assert (found.counts == expected).all()
    assert found.middle.value == 3 / 7, "(4, 4), (2, 2) and (3, 3)"
    assert found.by_chance == 0.25
    large = to_frame([line(change="0,0#ff0000 39,19#ff0000", height=40, width=20)])
    cells = findings.places(large, "net")
    assert (cells.side, cells.counts.shape) == (3, (14, 7))
    assert cells.counts[0, 0] == cells.counts[13, 6] == 1
    assert findings.places(to_frame([line(wrong="")]), "net") is None


def test_pixels_that_recur_against_chance():
    found = findings.recurring(TABLE, "net")
    (place,) = found.places
    assert (place.row, place.col, place.pictures, place.obscuring) == (0, 0, Share(3, 3), Share(2, 3))
    assert place.colour == (255, 0, 0)
    assert found.shared == 1
    chances = [2 / 64, 1 / 64, 4 / 64]
    none = math.prod(1 - p for p in chances)
    once = sum(p / (1 - p) * none for p in chances)
    assert found.by_chance == pytest.approx(64 * (1 - none - once))
    assert place_rows([place])[0]["most frequent colour"] == "#ff0000"


def test_the_histogram_holds_every_picture():
    for counts in ({"net": [1, 1, 2, 46]}, {"net": [3], "other": []}, {"net": [1500, 2, 900]}, {"net": [], "b": []}):
        figure = pixel_histogram(counts)
        assert [sum(bar.y) for bar in figure.data] == [len(of) for of in counts.values()]
    assert len(pixel_histogram({"net": [1500, 2]}).data[0].y) <= 31
    assert pixel_histogram({"net": [1, 2, 2]}).data[0].text[:2] == ("1 pixel", "2 pixels")
    assert pixel_histogram({"net": [1, 2, 2]}).layout.yaxis.dtick == 1  # no tick between whole numbers
    assert pixel_histogram({"net": [2] * 50}).layout.yaxis.dtick is None


def test_the_flow_figure_has_all_flows_and_the_rest_last():
    flows = [("A", "B", 5), ("rest", "C", 9), ("A", "rest", 1)]
    sankey = class_flow(flows, "rest").data[0]
    assert list(sankey.node.label) == ["A 6", "rest 9", "C 9", "B 5", "rest 1"]
    assert list(sankey.link.value) == [5, 9, 1]
    named = [
        (sankey.node.label[a], sankey.node.label[b])
        for a, b in zip(sankey.link.source, sankey.link.target, strict=True)
    ]
    assert named == [("A 6", "B 5"), ("rest 9", "C 9"), ("A 6", "rest 1")]
    assert all(0 < y < 1 for y in sankey.node.y)


def test_shares_without_an_interval_are_hollow():
    nan = float("nan")
    (trace,) = class_shares(["all", "A", "B"], {"net": [(0.5, 0.4, 0.6), (1.0, nan, nan), (nan, nan, nan)]}).data
    assert list(trace.marker.symbol) == ["circle", "circle-open"]
    assert list(trace.error_x.array) == pytest.approx([10, 0])


def test_a_map_is_of_the_pictures_size():
    figure = place_map(np.arange(6).reshape(2, 3), 4, (8, 10))
    assert figure.layout.xaxis.range == (0, 10)
    assert figure.layout.yaxis.range == (8, 0)
    assert figure.data[0].text[1][2] == "rows 4 to 7, columns 8 to 9: 5 changed pixels"


def test_marks_are_told_and_escaped():
    svg = marked("data:image/png;base64,AA", (8, 8), [(1, 2, "obscuring", False), (3, 4, "leading", True)], EVIL)
    assert svg.count("<circle") == 2
    assert svg.count("<polygon") == 2, "each with a white rim"
    assert "stroke-dasharray" in svg
    assert "<script" not in svg


class Resources(HTMLParser):
    """What a document would load, and what it holds."""

    LOADING = ("src", "href", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href", "ping")

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.styles = ""
        self._in_style = False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._in_style = tag == "style"
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} {name}"
            if name in self.LOADING:
                self.loaded.append(value or "")
            if name == "style":
                self.styles += value

    def handle_endtag(self, tag):
        self._in_style = False

    def handle_data(self, data):
        if self._in_style:
            self.styles += data


def made(names=("Top", "Bottom"), name="halves") -> str:
    clf = halves(names=names)
    pictures = [Listed(f"{EVIL} {i}", lambda i=i: picture(6 + i, 5 * (i % 2), i), i % 2) for i in range(6)] + [
        Listed("broken", lambda: _broken())
    ]
    gathered = [gather(clf, pictures, title=name)]
    attack = SparseAttack(steps=6, polish=False)
    study = DataSetStudy(gathered, attack)
    while study.advance():
        pass
    record = record_of(gathered, attack, "integrated_gradients", EVIL, 0)
    return report(
        study.rows(), gathered, record, Told(EVIL, f"python -m explorer dataset --pictures '{EVIL}'", "today")
    )


def _broken():
    raise ValueError(EVIL)


def test_the_report_loads_nothing_and_nothing_escapes_it():
    document = made(names=(EVIL, "Ünïcode 🛑 ]]>"), name=EVIL)
    found = Resources()
    found.feed(document)
    assert found.loaded
    assert all(each.startswith("data:image/png;base64,") for each in found.loaded)
    assert not re.search(r"url\(|@import|https?:", found.styles)
    assert "a" not in found.tags
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", document, re.DOTALL)
    assert found.tags.count("script") == len(scripts), "a text that ends a script would leave another one"
    assert not [each for each in scripts[1:] if "<" in each]
    assert not [tag for tag in found.tags if tag in ("link", "iframe", "object", "embed", "form", "base")]
    assert "default-src 'none'" in document
    assert document.count("onerror=&quot;alert(2)&quot;") > 6
    assert 'onerror="alert' not in document


def test_the_report_has_all_that_an_appendix_needs():
    document = made()
    text = re.sub(r"<script.*?</script>|<style.*?</style>", "", document, flags=re.DOTALL)
    figures = [int(n) for n in re.findall(r"<strong>Figure (\d+)\.", text)]
    tables = [int(n) for n in re.findall(r"<strong>Table (\d+)\.", text)]
    assert figures == [*range(1, len(figures) + 1)]
    assert sorted(tables) == [*range(1, len(tables) + 1)]
    assert len(figures) >= 5
    for word in ("Results", "Classes", "Pictures", "Not attacked", "Setting", "How to read it", "unreadable", "1.0.0"):
        assert word in text
    for setting in ("step_size", "max_change", "seed", "no limit", "SHA-256", "torch"):
        assert setting in text
    assert len(document.encode()) < 8e6


def test_a_figure_cannot_end_its_script():
    figure = pixel_histogram({EVIL: [1, 2]})
    html = embedded(figure, "figure-1")
    assert html.count("</script>") == html.count("<script")
    assert "plot.ly" not in html


def test_an_unfinished_report_says_so():
    gathered = [gather(halves(), [Listed(str(i), lambda i=i: picture(6 + i), 0) for i in range(5)])]
    attack = SparseAttack(steps=6, polish=False)
    study = DataSetStudy(gathered, attack)
    study.advance()
    study.advance()
    record = record_of(gathered, attack, "integrated_gradients", "some", 0)
    assert "Not finished: 4 of 5 attacks are done." in report(study.rows(), gathered, record, Told("some"))


def test_a_report_where_nothing_is_fooled_is_one_all_the_same():
    gathered = [gather(halves(), [Listed("far", lambda: picture(150), 0)])]
    attack = SparseAttack(steps=3, max_change=0.004, polish=False)
    study = DataSetStudy(gathered, attack)
    while study.advance():
        pass
    record = record_of(gathered, attack, "integrated_gradients", "some", 0)
    document = report(study.rows(), gathered, record, Told("some"))
    assert "halves: none of 1 pictures is fooled." in document
    assert "not fooled" in document
    assert "No picture is fooled." in document
