"""Does it carry over? The matrix of attacked networks and those that look, and the pictures of its cells."""

import dataclasses
import html
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
import torch

from explorer.attacks import Attack
from explorer.figures import share_matrix, told
from explorer.hashes import image_sha256
from explorer.jobs import Job
from explorer.knobs import knobs
from explorer.numerics import Share
from explorer.studies.transfer import PARTS, Cell, Part, Shot, Transfer, without
from explorer.types import Sample, Step
from explorer.ui.caches import content_of
from explorer.ui.compare import parts
from explorer.ui.compare.choices import (
    BATCH,
    attack_choices,
    choose_attacks,
    choose_count,
    comparable_networks,
    network_of,
    short_titles,
    title_of,
)
from explorer.ui.compare.measured import measured
from explorer.ui.controls import widget
from explorer.ui.evidence import QUIET
from explorer.ui.grid import go_to
from explorer.ui.link import SWITCH, bound, link, linked_here, unlink
from explorer.ui.long_runs import LongRun, control, long_runs, own_runs
from explorer.ui.markdown import plain
from explorer.ui.networks import BRING, UPLOADED
from explorer.ui.pictures import picture_url
from explorer.ui.run_files import key_of
from explorer.ui.runs import expected_seconds
from explorer.ui.subjects import fitted, pictures_of

MOST_NETWORKS, MOST_ATTACKS, MOST_PICTURES = 5, 2, 50
USUAL = 4  # networks at first
DEFAULT_ATTACKS = ("sparse", "sparse-paper")
SHOWN = 12  # pictures of a cell
CELL = "cell"  # in the link
TITLES: dict[Part, str] = {"whole": "Whole change", "obscuring": "Only obscuring", "leading": "Only leading"}
WHAT = """
Each picture is attacked on one network (a **row**), and shown to the others (**columns**). A cell says how often the
column's network errs, of the pictures that both networks see correctly without the attack, and with which the attack
fools the row's own network. Point at a cell for its 95 % interval, and click it for its pictures. *Only obscuring* puts
all leading pixels back, and *only leading* all obscuring ones; without a pixel of that kind, the picture is the clean
one. *All but one together* adds rows: all networks but one are attacked at once, and what matters is whether that one,
which was left out, errs too.
"""


def show_transfer() -> None:
    """Choose, run, look."""
    st.markdown(WHAT)
    names = comparable_networks()
    bound("transfer_networks", map(title_of, names))
    chosen = st.multiselect(
        "Networks",
        names,
        names[:USUAL],
        format_func=title_of,
        max_selections=MOST_NETWORKS,
        key="transfer_networks",
        help=f"Two or more that know the same classes. {BRING}",
        bind="query-params",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        attacks = choose_attacks("transfer_attacks", DEFAULT_ATTACKS, MOST_ATTACKS)
        if len(chosen) < 2:
            raise ValueError("Choose two networks or more: one is attacked, and the others look.")
        if not attacks:
            raise ValueError("Choose one attack or more.")
        networks = {name: network_of(name) for name in chosen}
        first = networks[chosen[0]]
        every = pictures_of(first.dataset)
        samples = fitted(every[: choose_count("transfer_n", min(MOST_PICTURES, len(every)))], first.input_size)
        attacks, together = _aimed(attacks)
    run = _run_of(networks, samples, attacks, together)
    transfer: Transfer = run.of
    left = transfer.total - transfer.done
    seconds = sum(expected_seconds(attack, clf) for attack in attacks.values() for clf in networks.values())
    seconds *= len(networks) if together else 1  # each ensemble is all networks but one
    n_attacks = len(transfer.sources) * len(attacks) * len(samples)
    rest = parts.told(transfer.done, left, f"{n_attacks} attacks", seconds * len(samples) * left / transfer.total)
    control(run, "Measure" if left else "", "Go on" if transfer.done and left else None, rest, key="transfer")
    if transfer.done:
        titles = short_titles(chosen)
        show_matrices(transfer, samples, titles | {without(name): without(titles[name]) for name in chosen})
    else:
        show_measured()


def _aimed(attacks: Mapping[str, Attack]) -> tuple[dict[str, Attack], bool]:
    """What makes an attack carry over: a lead of the wrong class, and several networks attacked at once."""
    with st.container(width=220):
        kappa = widget(knobs(Attack)["kappa"], prefix="transfer_")
    bound("transfer_together", SWITCH)
    together = st.toggle("All but one together", key="transfer_together", bind="query-params")
    return {name: dataclasses.replace(attack, kappa=kappa) for name, attack in attacks.items()}, together


def _run_of(networks: Mapping, samples: Sequence[Sample], attacks: Mapping[str, Attack], together: bool) -> LongRun:
    pictures = [image_sha256(sample.image) for sample in samples]
    contents = [(name, content_of(clf)) for name, clf in networks.items()]
    key = key_of("transfer", contents, pictures, dict(attacks), together)

    def make() -> LongRun:
        images = torch.stack([sample.image for sample in samples])
        labels = torch.tensor([sample.label for sample in samples])
        transfer = Transfer(networks, images, labels, attacks, together=together, batch=BATCH)
        device = str(next(iter(networks.values())).device)
        return LongRun(key, device, lambda job: _advance(transfer, job), transfer, kind="transfer")

    runs = own_runs() if UPLOADED in networks else long_runs()
    return runs.get(key, make)


def _advance(transfer: Transfer, job: Job) -> bool:
    def on_step(step: Step) -> bool:
        done = transfer.done + min(1.0, step.done / step.total)
        job.report(done, transfer.total, f"{transfer.done} of {transfer.total} batches of pictures")
        return job.should_stop

    return transfer.advance(on_step)


def choose_part() -> Part:
    """Which part of the change the other networks get to see."""
    bound("transfer_part", TITLES.values())
    return st.segmented_control(
        "Shown to the other networks",
        list(TITLES),
        default="whole",
        required=True,
        format_func=TITLES.get,
        key="transfer_part",
        bind="query-params",
    )


def show_measured() -> None:
    """Before anything is measured here: what was measured once, on more signs, by the command."""
    table, choices = measured(), attack_choices()
    st.markdown(f"##### Measured before, on {table.pictures} signs")
    part = choose_part()
    titles = [*short_titles(table.networks).values()]
    for column, attack in zip(st.columns(MOST_ATTACKS, gap="large"), table.attacks, strict=False):
        shares, title = table.matrix(attack, part), choices[attack][0]
        with column:
            st.markdown(f"**{plain(title)}**")
            st.plotly_chart(
                share_matrix(titles, shares, "attacked", "looks", clickable=False),
                key=f"measured-{attack}-{part}",
                config=QUIET,
                alt=f"{title}: how often {PARTS[part]} fools. {_listed(titles, titles, shares)}.",
            )
            st.caption(_others([share for i, line in enumerate(shares) for j, share in enumerate(line) if i != j]))


def show_matrices(transfer: Transfer, samples: Sequence[Sample], titles: Mapping[str, str]) -> None:
    """One matrix per attack, and the pictures of the cell that was clicked."""
    part = choose_part()
    for column, attack in zip(st.columns(MOST_ATTACKS, gap="large"), transfer.attacks, strict=False):
        with column:
            st.markdown(f"##### {plain(attack)}")
            _matrix(transfer, attack, part, titles)
            st.caption(_summary(transfer, attack, part))
    with st.expander("The numbers, with 95 % intervals"):
        st.dataframe(
            _table(transfer, titles), hide_index=True, alt="One line per attack, attacked network and looking network."
        )
    if cell := _opened(transfer):
        show_cell(transfer, cell, part, samples, titles)


def _matrix(transfer: Transfer, attack: str, part: Part, titles: Mapping[str, str]) -> None:
    names, sources = [*transfer.networks], [*transfer.sources]
    shares = [[transfer.cell(attack, source, target).fooled[part] for target in names] for source in sources]
    number = [*transfer.attacks].index(attack)
    key = f"matrix-{number}-{part}"

    def pick() -> None:
        points = [point for point in st.session_state[key].selection.points if point.get("customdata")]
        if points:
            source, target = map(int, points[0]["customdata"])
            link(CELL, f"{number}.{source}.{target}", "")

    columns, rows = [titles[name] for name in names], [titles[name] for name in sources]
    figure = share_matrix(columns, shares, "attacked", "looks", more=rows[len(columns) :])
    st.plotly_chart(
        figure,
        key=key,
        on_select=pick,
        selection_mode="points",
        config=QUIET,
        alt=f"How often {PARTS[part]} fools. {_listed(rows, columns, shares)}.",
    )


def _summary(transfer: Transfer, attack: str, part: Part) -> str:
    """How it went with networks that the attack knew nothing of, in a sentence or two."""
    others = [cell for cell in transfer.cells(attack) if transfer.left_out(cell.source, cell.target)]
    pixels = [transfer.mean_pixels(attack, source) for source in transfer.sources]
    known = [each for each in pixels if each == each]
    mean = f"{min(known):,.0f} to {max(known):,.0f} changed pixels on average, by network. " if known else ""
    told = _others([cell.fooled[part] for cell in others if cell.source in transfer.networks])
    left_out = [cell.fooled[part] for cell in others if cell.source not in transfer.networks]
    if sum(share.of for share in left_out):
        told += f" Where all others are attacked together, the one left out is fooled in {_counted(left_out)}."
    return mean + told


def _others(shares: Sequence[Share]) -> str:
    """How often networks other than the attacked one are fooled, over all pairs."""
    return f"Other networks are fooled in {_counted(shares)}."


def _counted(shares: Sequence[Share]) -> str:
    hits, of = sum(share.hits for share in shares), sum(share.of for share in shares)
    return f"{hits:,} of {of:,} cases{f', {100 * hits / of:.0f} %' if of else ''}"


def _listed(rows: Sequence[str], columns: Sequence[str], shares: Sequence[Sequence[Share]]) -> str:
    """A matrix in words."""
    return "; ".join(
        f"{source} to {target}: {told(share)}"
        for source, line in zip(rows, shares, strict=True)
        for target, share in zip(columns, line, strict=True)
    )


def _table(transfer: Transfer, titles: Mapping[str, str]) -> pd.DataFrame:
    rows = []
    for attack in transfer.attacks:
        for cell in transfer.cells(attack):
            shares = {TITLES[part]: told(share) for part, share in cell.fooled.items()}
            rows.append({"attack": attack, "attacked": titles[cell.source], "looks": titles[cell.target]} | shares)
    return pd.DataFrame(rows)


def _opened(transfer: Transfer) -> Cell | None:
    """The cell that the link names."""
    attacks, sources, names = [*transfer.attacks], [*transfer.sources], [*transfer.networks]
    allowed = {
        f"{a}.{s}.{t}": (attack, source, target)
        for a, attack in enumerate(attacks)
        for s, source in enumerate(sources)
        for t, target in enumerate(names)
    }
    name = linked_here(CELL, allowed, "")
    return transfer.cell(*allowed[name]) if name else None


def show_cell(transfer: Transfer, cell: Cell, part: Part, samples: Sequence[Sample], titles: Mapping[str, str]) -> None:
    """Clean and attacked pictures with what both networks see; each opens in Explore."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"##### {plain(titles[cell.source])} → {plain(titles[cell.target])}, {plain(cell.attack)}")
        st.button("Close", on_click=unlink, args=[CELL], key="close-cell")
    if not cell.shots:
        st.info("No picture counts here yet: both networks must see it correctly, and the attack must fool the first.")
        return
    shots = sorted(cell.shots, key=lambda shot: shot.seen[cell.target][part] == shot.label)  # the fooled ones first
    if len(shots) > SHOWN:
        st.caption(f"{SHOWN} of {len(shots)} pictures, those that fool first.")
    columns = st.columns(4)
    for number, shot in enumerate(shots[:SHOWN]):
        with columns[number % 4].container(border=True):
            _card(transfer, cell, part, shot, samples[shot.picture], titles)


def _card(transfer: Transfer, cell: Cell, part: Part, shot: Shot, sample: Sample, titles: Mapping[str, str]) -> None:
    names = transfer.networks[cell.target].class_names
    pictures = (("clean", sample.image), (f"attacked, {TITLES[part].lower()}", shot.shown(part, sample.image)))
    images = "".join(
        f'<img alt="{html.escape(f"{names[shot.label]}, {name}")}" src="{picture_url(image)}">'
        for name, image in pictures
    )
    st.html(f'<div class="pair">{images}</div>')
    seen = {
        titles[name]: shot.seen[name][part] for name in dict.fromkeys((cell.source, cell.target)) if name in shot.seen
    }
    lines = [f"**{plain(names[shot.label])}**, {shot.n_pixels[part]} pixels"]
    for title, label in seen.items():
        lines.append(f"{plain(title)}: {'✗' if label != shot.label else '✓'} {plain(names[label])}")
    st.markdown("  \n".join(lines))
    if cell.source in transfer.networks:
        st.button(
            "Open in Explore",
            on_click=go_to,
            args=[transfer.attacks[cell.attack], cell.source, sample.name],
            key=f"open-{shot.picture}",
            width="stretch",
        )
