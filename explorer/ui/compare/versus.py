"""Against what else? Two to four attacks on one picture, then on many, and the worst case over them."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
import torch

from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.evidence import explain_pixels
from explorer.figures import fooled_curves, told
from explorer.figures.scales import short
from explorer.hashes import image_sha256
from explorer.jobs import Job
from explorer.numerics import percent
from explorer.pipeline.exploration import MOST_LABELLED
from explorer.studies import Ledger, Study, Terms, version
from explorer.studies.bench import TERMS, fewest, fooled_within, rows_by_attack, summaries, worst_case
from explorer.studies.ledger import Row
from explorer.studies.measures import measured, unpack
from explorer.types import Image, Sample
from explorer.ui import studies
from explorer.ui.caches import content_of, valid_methods
from explorer.ui.compare.choices import BATCH, choose_attacks, choose_count, choose_network, choose_picture, network_of
from explorer.ui.evidence import QUIET
from explorer.ui.grid import go_to
from explorer.ui.link import linked_number, whole
from explorer.ui.long_runs import control
from explorer.ui.markdown import plain
from explorer.ui.pictures import canvas
from explorer.ui.run_files import key_of
from explorer.ui.runs import expected_seconds
from explorer.ui.subjects import labelled_pictures
from explorer.ui.words import duration
from explorer.ui.work import advance, result_of

USUAL = ("sparse", "greedy", "sigma-zero")
MOST_ATTACKS, MOST_PICTURES = 4, 50
HINT = "Point at a pixel to compare it in the clean picture and in the first attacked one."
Single = tuple[Row, Image, int, int]  # what an attack did to one picture, the attacked picture, its obscuring and
# leading pixels: -1 where there are too many to label


def show_versus() -> None:
    """Choose, then one picture, then many."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choose_network("versus_network")
        attacks = choose_attacks("versus_attacks", USUAL, MOST_ATTACKS)
    if len(attacks) < 2:
        raise ValueError("Choose two attacks or more.")
    clf = network_of(name)
    samples = labelled_pictures([name])
    sample = choose_picture("versus_picture", samples)
    st.caption(_differences(attacks))
    show_single(clf, sample, attacks)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Open in Explore:", width="content")
        for title, attack in attacks.items():
            st.button(title, on_click=go_to, args=[attack, name, sample.name], key=f"versus-open-{title}")
    st.markdown("##### On many pictures")
    show_many(clf, samples[: choose_count("versus_n", min(MOST_PICTURES, len(samples)))], attacks)


def _differences(attacks: Mapping[str, Attack]) -> str:
    """What must be known to compare their counts: what an attack counts, and which stages come after its own."""
    told = []
    for title, attack in attacks.items():
        missing = [word for word, there in (("pruned", attack.prune), ("polished", attack.polish)) if not there]
        says = [f"not {' or '.join(missing)}"] if missing else []
        says += ["looks for few channel values, not few pixels"] if attack.unit == "entry" else []
        told += [f"{plain(title)}: {', '.join(says)}."] if says else []
    return " ".join(["Each attack has its usual settings.", *told])


def show_single(clf: Classifier, sample: Sample, attacks: Mapping[str, Attack]) -> None:
    """All attacks on one picture, side by side, with what each did and asked for."""
    method = valid_methods(clf)[0]
    key = key_of("versus", content_of(clf), image_sha256(sample.image), sample.label, dict(attacks))

    def work(job: Job, twin: Classifier) -> list[Single]:
        found = []
        for number, (title, attack) in enumerate(attacks.items()):
            advance(job, number, len(attacks), f"{title}: attack {number + 1} of {len(attacks)}")
            found.append(_single(twin, sample, attack, method))
        return found

    singles = result_of(f"versus-{key}", clf, work)
    if singles is None:
        return
    names = clf.class_names
    images, table = {"clean": sample.image}, []
    panes = [{"title": "Clean", "text": names[sample.label], "shows": "clean", "alt": f"{names[sample.label]}, clean."}]
    for number, (title, (row, attacked, obscuring, leading)) in enumerate(zip(attacks, singles, strict=True)):
        images[f"attack-{number}"] = attacked
        n_pixels, seen = row["n_pixels"], names[row["adversarial_label"]]
        text = f"{seen}, by {n_pixels:,} pixel{'s' * (n_pixels != 1)}" if row["succeeded"] else "not fooled"
        panes.append({"title": title, "text": text, "shows": f"attack-{number}", "alt": f"{title}: {text}."})
        table.append(
            {
                "attack": title,
                "fooled": "yes" if row["succeeded"] else "no",
                "pixels": f"{n_pixels:,}",
                "obscuring": _part(obscuring, n_pixels),
                "leading": _part(leading, n_pixels),
                "seconds": f"{row['seconds']:.2f}",
                "forward passes": _passes(row["forward_passes"]),
                "backward passes": _passes(row["backward_passes"]),
            }
        )
    canvas(images, panes, (), (), (), HINT, "versus-pictures", None)
    st.markdown("##### What each needed")  # and the table's own buttons do not lie over those of the pictures
    st.dataframe(pd.DataFrame(table), hide_index=True, alt="What each attack did to this picture, and asked for.")


def _single(clf: Classifier, sample: Sample, attack: Attack, method: str) -> Single:
    image, label = sample.image.to(clf.device), torch.tensor([sample.label], device=clf.device)
    (row,) = measured(clf, image[None], label, attack, Terms(kept_pixels=image[0].numel()))
    attacked = unpack(image, row["changes"])
    if not 0 < row["n_pixels"] <= MOST_LABELLED:
        return row, attacked.cpu(), -1, -1
    evidence = explain_pixels(clf, image, attacked, sample.label, method, splits=0)
    return row, attacked.cpu(), evidence.count("obscuring"), evidence.count("leading")


def _passes(count: float | None) -> str:
    return "–" if count is None else short(count)


def _part(count: int, n_pixels: int) -> str:
    return f"{count:,} ({100 * count / n_pixels:.0f} %)" if count >= 0 else "–"


def show_many(clf: Classifier, samples: Sequence[Sample], attacks: Mapping[str, Attack]) -> None:
    """Curves of the fooled, means, and the robust accuracy as the worst case over these attacks."""
    pictures = [image_sha256(sample.image) for sample in samples]
    key = key_of("versus-many", content_of(clf), pictures, dict(attacks), version())

    def make(ledger: Ledger) -> Study:
        return Study([studies.subject_of(clf, samples)], [*attacks.values()], ledger, batch=BATCH, terms=TERMS)

    run = studies.long_study(key, clf.device, make, kind="compare", network=content_of(clf))
    study: Study = run.of
    seconds = sum(expected_seconds(attack, clf) for attack in attacks.values()) / len(attacks)  # of a run
    control(
        run,
        "Measure" if study.left else "",
        "Go on" if study.done and study.left else None,
        studies.told(study, f"Likely {duration(study.left * seconds)} on this computer, if nobody else uses it."),
        key="versus",
    )
    found = rows_by_attack(study, attacks)
    same = min(map(len, found.values()))  # pictures that every attack has seen
    if same:
        show_rows({title: of[:same] for title, of in found.items()})


def show_rows(rows: Mapping[str, Sequence[Row]]) -> None:
    """What the attacks did to the same pictures."""
    fewest_of = {title: fewest(of) for title, of in rows.items()}
    worst = worst_case([*fewest_of.values()])
    most = _end([*fewest_of.values()])
    curves = {title: [fooled_within(of, k) for k in range(most + 1)] for title, of in fewest_of.items()}
    together = [fooled_within(worst, k) for k in range(most + 1)]
    ends = "; ".join(f"{title}: {told(shares[-1])}" for title, shares in curves.items())
    st.plotly_chart(
        fooled_curves(curves, together),
        key="versus-curves",
        config=QUIET,
        alt=f"Pictures that are fooled by at most 0 to {most} pixels. At {most}: {ends}.",
    )
    table = [
        {
            "attack": row.attack,
            "fooled": percent(row.success),
            "pixels, mean": short(row.mean_pixels),
            "pixels, median": short(row.median_pixels),
            "seconds per picture": f"{row.seconds / row.pictures:.2f}",
            "forward passes per picture": short(row.forward_passes),
            "backward passes per picture": short(row.backward_passes),
        }
        for row in summaries(rows)
    ]
    st.dataframe(pd.DataFrame(table), hide_index=True, alt="What each attack did to these pictures, and asked for.")
    linked_number("versus_k", "k", whole(0, most), min(10, most))
    k = st.slider("At most k changed pixels", 0, most, min(10, most), key="versus_k", bind="query-params", width=420)
    fooled = fooled_within(worst, k)
    kept = type(fooled)(fooled.of - fooled.hits, fooled.of)
    st.markdown(
        f"**Robust accuracy at k = {k}: {told(kept)}.** It is the worst case over {', '.join(map(plain, rows))}: a "
        "picture counts as robust if none of them fools it with at most k pixels. Another attack may fool more, so the "
        "truth is this or less. All pictures are such as the network sees correctly without an attack."
    )


def _end(fewest: Sequence[torch.Tensor]) -> int:
    """Where the curves end: at the most pixels that any fooled picture needs, but at 500."""
    known = [of[of.isfinite()] for of in fewest]
    ends = [of.max().item() for of in known if len(of)]
    return max(1, min(500, round(max(ends)))) if ends else 1
