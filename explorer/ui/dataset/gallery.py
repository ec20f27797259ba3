"""The pictures of a study, sorted as one likes; each opens in Explore with the study's attack."""

import base64
import html
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from explorer.figures import marked
from explorer.images import to_png
from explorer.studies.dataset import apply_changes, findings, read_changes
from explorer.studies.dataset.report import data_url
from explorer.types import Image
from explorer.ui.compare.choices import title_of
from explorer.ui.dataset.choices import dataset_of
from explorer.ui.dataset.work import Work
from explorer.ui.grid import go_to
from explorer.ui.link import bound, linked_number, whole
from explorer.ui.markdown import plain
from explorer.ui.own_pictures import carry, let_go
from explorer.ui.source import OWN, UPLOAD

AT_ONCE, ACROSS = 12, 4  # pictures of one page of the gallery, and of one row
RANKS = {"green": 0, "amber": 1, "red": 2, "": 3}
ORDERS = {
    "Fewest pixels": (["n_pixels"], True),
    "Most pixels": (["n_pixels"], False),
    "True class": (["true_class", "n_pixels"], True),
    "Wrong class": (["wrong_class", "n_pixels"], True),
    "Most obscuring": (["share"], False),
    "Most leading": (["share"], True),
    "Trust card": (["rank", "n_pixels"], True),
    "Slowest": (["seconds"], False),
}


@dataclass(frozen=True)
class Shelf:
    """Where the pictures of a table are, and how one is opened in Explore; both are asked with the table's row."""

    image: Callable[[dict], Image]
    open: Callable[[dict], None]


def show_gallery(table: pd.DataFrame, shelf: Shelf) -> None:
    """Sort, turn the pages, look."""
    bound("dataset_sort", ORDERS)
    networks = findings.networks_of(table)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.selectbox("Order", list(ORDERS), key="dataset_sort", bind="query-params", width=200)
        fooled = st.toggle("Only the fooled", value=True, key="dataset-only-fooled")
        if len(networks) > 1:
            shown = st.multiselect("Networks", networks, networks, key="dataset-shown", format_func=plain, width=320)
            table = table[table["network"].isin(shown)]
        table = ordered(table[table["succeeded"]] if fooled else table, order)
        pages = max(1, -(-len(table) // AT_ONCE))
        linked_number("dataset_page", "page", whole(1, pages), 1)
        page = 1
        if pages > 1:
            if st.session_state.get("dataset_page", 1) > pages:
                st.session_state.dataset_page = pages
            page = st.number_input(f"Page of {pages}", 1, pages, 1, key="dataset_page", bind="query-params", width=140)
    if not len(table):
        st.info("No picture of this kind yet.")
        return
    rows = table.iloc[(page - 1) * AT_ONCE : page * AT_ONCE].to_dict("records")
    for number, row in enumerate(rows):
        if number % ACROSS == 0:  # row by row, so that the order stays where a small screen stacks them
            columns = st.columns(ACROSS)
        with columns[number % ACROSS].container(border=True):
            _card(row, shelf, len(networks) > 1, number)


def ordered(table: pd.DataFrame, order: str) -> pd.DataFrame:
    """The rows in one of ORDERS; those without labels, where these count, last."""
    columns, up = ORDERS[order]
    labelled = (table["obscuring"] + table["leading"]).where(lambda n: n > 0)
    keyed = table.assign(share=table["obscuring"] / labelled, rank=table["trust"].map(RANKS))
    return keyed.sort_values(columns, ascending=up, kind="stable", na_position="last")


def shelf_of(work: Work) -> Shelf:
    """The pictures of a study that is in memory."""
    images = {
        (each.subject.name, name): image
        for each in work.prepared().gathered
        for name, image in zip(each.subject.pictures, each.subject.images, strict=True)
    }

    def image(row: dict) -> Image:
        return images[row["network"], row["picture"]]

    return Shelf(image, lambda row: _open(work, row, image(row)))


def _card(row: dict, shelf: Shelf, several: bool, number: int) -> None:
    image, n = shelf.image(row), row["n_pixels"]
    pixels = f"{n:,} pixel{'s' * (n != 1)}"
    what = f"{row['true_class']} → {row['wrong_class']}, {pixels}" if row["succeeded"] else f"not fooled, {pixels}"
    clean = f'<img alt="{html.escape(row["true_class"])}, clean" src="{data_url(image)}">'
    kept = bool(row["change"]) or not n  # of very many changed pixels, only the number is
    attacked = f'<img alt="{html.escape(what)}" src="{_attacked(row, image, what)}">' if kept else "too many to be kept"
    st.html(f'<div class="pair">{clean}{attacked}</div>')
    lines = [f"**{plain(row['true_class'])}** → {plain(row['wrong_class'] or 'not fooled')}", pixels]
    if row["kinds"]:
        lines[1] += f": {row['obscuring']} obscuring, {row['leading']} leading"
    lines.append(plain(row["picture"]) + (f", {plain(row['network'])}" if several else ""))
    st.markdown("  \n".join(lines))
    st.button("Open in Explore", on_click=shelf.open, args=[row], key=f"dataset-open-{number}", width="stretch")


def _attacked(row: dict, image: Image, what: str) -> str:
    """The attacked picture with its changed pixels ringed, as a data URL."""
    pixels = [(each.row, each.col, each.kind, each.weak) for each in read_changes(row["change"], row["kinds"])]
    svg = marked(data_url(apply_changes(image, row["change"])), tuple(image.shape[1:]), pixels, what)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _open(work: Work, row: dict, image: Image) -> None:
    """Go to this picture in Explore: those that no link can hold are brought along."""
    network = next(name for name in work.choice.networks if row["network"] in (title_of(name), name))
    name = row["picture"]
    if dataset_of(work.choice.source) is None:
        carry(name, to_png(image))
        let_go("upload")
        name = OWN[UPLOAD]
    go_to(work.choice.attack, network, name)
