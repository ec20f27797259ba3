"""A study as one HTML file that opens anywhere, without a network: figures, tables, settings, versions, pictures.

Whatever comes from outside, such as names of classes, files and networks, goes through `text` or a figure's own
escaping; the file's policy forbids it to load anything.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from explorer.attacks import ATTACKS
from explorer.figures import (
    class_flow,
    class_shares,
    fooled_curves,
    marked,
    pixel_histogram,
    place_map,
)
from explorer.images import to_png
from explorer.palette import LOOKS
from explorer.studies.dataset import findings
from explorer.studies.dataset.changes import apply_changes, read_changes
from explorer.studies.dataset.document import Document, text
from explorer.studies.dataset.pictures import Gathered
from explorer.studies.dataset.record import Record
from explorer.studies.dataset.table import to_frame
from explorer.studies.dataset.wording import (
    class_rows,
    kind_intervals,
    map_sentence,
    overview_rows,
    place_rows,
    recurrence_sentence,
    sentence,
)
from explorer.types import Image

SHOWN = 24  # pictures
LISTED = 1000  # rows of the table of all pictures; the CSV file has them all
CURVE = 200  # changed pixels where the curve of the fooled ends, at most


@dataclass(frozen=True)
class Told:
    """What the report is about, beside its numbers."""

    pictures: str  # where they come from, in words
    command: str = ""  # that makes it again; "" none
    when: str = ""  # the date


def report(rows: Iterable[dict], gathered: Sequence[Gathered], record: Record, told: Told) -> str:
    """The report of the pictures that are done so far, as an HTML document."""
    table = to_frame(rows)
    parts = Document()
    networks = findings.networks_of(table)
    views = findings.overviews(table, gathered)
    listed, attack = ", ".join(map(text, networks)), _title_of(record["attack"])
    n_pictures = len({*table["picture"]})
    of = sum(len(each.subject.images) for each in gathered)
    title = f"{n_pictures:,} pictures, {attack}, {', '.join(networks)}"
    parts.add(f"<h1>Sparse attacks on {n_pictures:,} pictures</h1>")
    parts.add(f"<p>{text(told.pictures)}. Attack: {text(attack)}. Networks: {listed}. {text(told.when)}</p>")
    if len(table) < of:
        parts.add(f"<p><strong>Not finished: {len(table):,} of {of:,} attacks are done.</strong></p>")
    parts.add(f"<p>{' '.join(text(sentence(view)) for view in views)}</p>")
    parts.add("<h2>Results</h2>")
    parts.add(_overview_table(parts, views))
    _pixel_figures(parts, table)
    for network in networks:
        _flow_figure(parts, table, network)
    _kind_figure(parts, table)
    for network in networks:
        _place_figures(parts, table, network)
    parts.add("<h2>Classes</h2>")
    parts.add(_class_table(parts, table))
    parts.add("<h2>Pictures</h2>")
    parts.add(_pictures(table, gathered))
    parts.add("<h2>All pictures</h2>")
    parts.add(_all(table))
    parts.add(_left_out(parts, gathered))
    parts.add("<h2>Setting</h2>")
    parts.add(_setting(parts, table, gathered, record, told))
    parts.add("<h2>How to read it</h2>")
    parts.add(HOW)
    return parts.written(title)


def _title_of(attack: str) -> str:
    """What an attack is called, by its class."""
    return next((kind.title for kind in ATTACKS.values() if kind.__name__ == attack), attack)


def _overview_table(parts: Document, views: Sequence[findings.Overview]) -> str:
    return parts.table(
        overview_rows(views),
        "Each network on the pictures that it sees correctly. In brackets 95 % intervals: of shares of pictures by "
        "Wilson, of shares of pixels by resampling pictures. Pixels, entries (single channel values) and labels are "
        "those of the fooled pictures; quartiles are the lower one, the median and the upper one; seconds are those of "
        "attack and labels.",
    )


def _pixel_figures(parts: Document, table: pd.DataFrame) -> None:
    counts = findings.pixel_counts(table)
    if not any(counts.values()):
        return
    parts.figure(pixel_histogram(counts), "How many pixels it took to fool the network.")
    most = min(CURVE, max(max(of) for of in counts.values() if of))
    parts.figure(
        fooled_curves(findings.fooled_within(table, most)),
        "Pictures that are fooled with at most so many changed pixels, of all that were attacked.",
    )


def _flow_figure(parts: Document, table: pd.DataFrame, network: str) -> None:
    if found := findings.flows(table, network):
        parts.figure(
            class_flow(found, findings.OTHERS),
            f"{network}: from the true class (left) to what the network sees after the attack (right).",
        )


def _kind_figure(parts: Document, table: pd.DataFrame) -> None:
    rows, series = kind_intervals(table)
    if any(each[0] == each[0] for intervals in series.values() for each in intervals):
        parts.figure(
            class_shares(rows, series),
            "The share of obscuring pixels by class and network, with 95 % intervals by resampling pictures; hollow: "
            f"fewer than {findings.FEW} pictures, so no interval.",
        )


def _place_figures(parts: Document, table: pd.DataFrame, network: str) -> None:
    found = findings.places(table, network)
    if found is None:
        return
    parts.figure(
        place_map(found.counts, found.side, found.size),
        f"{network}: where changed pixels fall, by row and column, counted in cells of {found.side} × {found.side} "
        "pixels. " + map_sentence(found),
    )
    recurrence = findings.recurring(table, network)
    if recurrence.places:
        rows = place_rows(recurrence.places)
        for row in rows:
            colour = row["most frequent colour"]
            row["most frequent colour"] = f'<span class="swatch" style="background:{colour}"></span> {colour}'
        caption = f"{network}: the pixels that recur most. {recurrence_sentence(recurrence)}"
        parts.add(parts.table(rows, caption, raw=["most frequent colour"]))


def _class_table(parts: Document, table: pd.DataFrame) -> str:
    return parts.table(class_rows(table), "Each class and network.")


def _pictures(table: pd.DataFrame, gathered: Sequence[Gathered]) -> str:
    images = {
        (each.subject.name, name): image
        for each in gathered
        for name, image in zip(each.subject.pictures, each.subject.images, strict=True)
    }
    cards = []
    networks = findings.networks_of(table)
    for network in networks:
        fooled = findings.fooled_of(table, network)
        fooled = fooled[fooled["change"] != ""].sort_values("n_pixels", kind="stable")
        n = min(len(fooled), max(1, SHOWN // len(networks)))
        chosen = [round(i * (len(fooled) - 1) / max(1, n - 1)) for i in range(n)]
        cards += [_card(row, images[row["network"], row["picture"]]) for row in fooled.iloc[chosen].to_dict("records")]
    intro = (
        "<p>Evenly chosen from the fooled pictures by their number of changed pixels, from the fewest to the most: "
        f"clean on the left, attacked on the right. A ring is an obscuring pixel ({LOOKS['obscuring'].sign}), a "
        f"diamond a leading one ({LOOKS['leading'].sign}); dashed, its label is weak.</p>"
    )
    return f'{intro}<div class="pictures">{"".join(cards)}</div>' if cards else "<p>No picture is fooled.</p>"


def _card(row: dict, image: Image) -> str:
    attacked = apply_changes(image, row["change"])
    pixels = [(each.row, each.col, each.kind, each.weak) for each in read_changes(row["change"], row["kinds"])]
    n = row["n_pixels"]
    told = f"{row['true_class']} → {row['wrong_class']}, {n} pixel{'s' * (n != 1)}"
    clean = f'<img alt="{text(row["true_class"])}, clean" src="{data_url(image)}">'
    ringed = marked(data_url(attacked), tuple(image.shape[1:]), pixels, told)
    return (
        f'<figure><div class="pair">{clean}{ringed}</div><figcaption>{text(row["picture"])}, {text(row["network"])}: '
        f"{text(told)}</figcaption></figure>"
    )


def data_url(image: Image) -> str:
    """The picture as a PNG file within a document."""
    return "data:image/png;base64," + base64.b64encode(to_png(image)).decode()


def _all(table: pd.DataFrame) -> str:
    names = ["network", "picture", "true_class", "wrong_class", "n_pixels", "n_entries", "obscuring", "leading", "weak"]
    names += ["trust", "seconds"]
    head = "".join(f'<th scope="col">{text(name.replace("_", " ").removeprefix("n "))}</th>' for name in names)
    lines = []
    for row in table[names].head(LISTED).to_dict("records"):
        row |= {"wrong_class": row["wrong_class"] or "not fooled", "seconds": f"{row['seconds']:.2f}"}
        lines.append("<tr>" + "".join(f"<td>{text(row[name])}</td>" for name in names) + "</tr>")
    more = f"<p>The first {LISTED:,} of {len(table):,}: the table as a file has them all.</p>" * (len(table) > LISTED)
    return (
        f'<details><summary>{len(table):,} attacks, one line each</summary>{more}<div class="wide"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div></details>"
    )


def _left_out(parts: Document, gathered: Sequence[Gathered]) -> str:
    rows = [vars(each) for one in gathered for each in one.left_out]
    if not rows:
        return ""
    return "<h2>Not attacked</h2>" + parts.table(rows[:LISTED], "Pictures that are not attacked, and why.")


def _setting(parts: Document, table: pd.DataFrame, gathered: Sequence[Gathered], record: Record, told: Told) -> str:
    networks = [
        {
            "network": each.subject.name,
            "classes": f"{len(each.class_names):,}",
            "sees": "{} × {} pixels".format(*each.subject.images.shape[2:]),
            "pictures": f"{len(each.subject.images):,}",
            "SHA-256 of its content": each.subject.network_sha256,
        }
        for each in gathered
    ]
    general = {
        "pictures": told.pictures,
        "seed of their choice": record["seed"],
        "labels by": ", ".join(sorted({*table["method"]})),
        "version": record["version"],
        "torch": record["torch"],
        "Python": ", ".join(sorted({*table["python"]})),
        "device": ", ".join(sorted({*table["device"]})),
        "attack's code, SHA-256": record["code"],
        "labels' code, SHA-256": record["labels"],
    }
    settings = [{"setting": name, "value": _setting_text(value)} for name, value in record["settings"].items()]
    again = f"<p>Made by:</p><p><code>{text(told.command)}</code></p>" if told.command else ""
    return (
        parts.table(networks, "Networks.")
        + parts.table([{"what": name, "is": str(value)} for name, value in general.items()], "Pictures and versions.")
        + parts.table(settings, f"Settings of {_title_of(record['attack'])}.")
        + again
    )


def _setting_text(value: Any) -> str:
    return "no limit" if value is None else str(value)


HOW = """<p>A picture counts as <em>fooled</em> if the network no longer sees the true class once the picture is saved
with 8 bits per channel. Only pictures that the network sees correctly are attacked; where nobody knows the true class,
what the network sees takes its place. An <em>obscuring</em> pixel lowers the score of the true class more than it
raises that of the wrong one; a <em>leading</em> pixel does the reverse. A label is <em>weak</em> where both are small
or close. The <em>trust card</em> of a picture is green where putting pixels back, one at a time, does what their labels
say. A label speaks of this network and this picture. The attack finds few pixels, not provably the fewest.</p>
<p>In the table as a file, <code>change</code> holds the whole change of each picture as
<code>row,column#rrggbb</code>, and <code>kinds</code> one letter for each of these pixels: O obscuring, L leading,
small where weak. Of a picture with more than 1,024 changed pixels only the number is kept.</p>"""
