"""Make the results that come with the project: `python -m tests.ship_results`.

- `runs`: for every bundled sign and every network of the signs: the default run, and how the optimised stage's count
  answers to a, λ and τ around it; and the film of the run that the page opens with. About twenty minutes on one core.
- `grid`: the grid that the Tune page opens with. About a minute.
- `signs`: the signs that the Ground truth page opens with, for every network of the signs. About a minute.

What is done is on the disk after each picture, and `--resume` keeps what still belongs.
"""

import argparse
import sys

import torch

from explorer import SparseAttack, load_classifier
from explorer.classifiers import CLASSIFIERS, DEFAULT, Classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.hashes import image_sha256
from explorer.pipeline import along, answering, explore, record, respond, shipped
from explorer.samples import gallery
from explorer.studies import Ledger, Study, Subject, grid
from explorer.studies import shipped as shipped_grids
from explorer.studies.trials import Signs, try_signs
from explorer.ui import known_signs
from explorer.ui.grid import PICTURES, offered, suggested
from explorer.ui.known_signs import FIRST_SEED, SIGNS
from explorer.ui.subjects import labelled_pictures

NETWORKS = tuple(name for name, card in CLASSIFIERS.items() if card.dataset == "signs" and card.source == "bundled")
FILMED = "signs-resnet", "stop-1"  # what the page opens with


KINDS = ("runs", "grid", "signs")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(KINDS), help="which of them, separated by commas")
    parser.add_argument("--model", default=",".join(NETWORKS), help="networks, separated by commas")
    parser.add_argument("--resume", action="store_true", help="keep the entries that are there and still belong")
    args = parser.parse_args()
    torch.set_num_threads(1)  # so that a batch's runs are single runs to the last bit
    kinds, names = args.only.split(","), args.model.split(",")
    if unknown := {*kinds} - {*KINDS}:
        parser.error(f"--only takes some of {', '.join(KINDS)}; got {', '.join(unknown)}.")
    for name in names:
        clf = load_classifier(name)
        if "signs" in kinds:
            ship_signs(clf)
        if "grid" in kinds and name == DEFAULT:
            ship_grid(clf, args.resume)
        if "runs" in kinds:
            ship_runs(clf, args.resume)
    return 0


def ship_signs(clf: Classifier) -> None:
    """What the Ground truth page opens with."""
    attack, asked = SparseAttack(), (SIGNS, FIRST_SEED)
    trials = try_signs(clf, attack, Signs.draw(clf, *asked), DEFAULT_METHOD)
    known_signs.write(known_signs.signs_record(clf, attack, DEFAULT_METHOD, *asked, trials))
    print(f"{clf.name}: {len(trials)} signs", flush=True)


def ship_grid(clf: Classifier, resume: bool) -> None:
    """What the Tune page opens with."""
    subject, settings = grid_of(clf)
    study = Study([subject], settings, Ledger(), shipped=resume)
    while study.advance():
        print(f"{clf.name}: {study.done} of {study.total} runs of the grid", flush=True)
    shipped_grids.write(shipped_grids.FOLDER / f"{clf.name}.jsonl", study.rows())


def grid_of(clf: Classifier) -> tuple[Subject, list[SparseAttack]]:
    """What the Tune page asks for where nobody has chosen anything: pictures and settings."""
    base, pictures = SparseAttack(prune=False, polish=False), labelled_pictures([clf.name])[:PICTURES]
    values = {name: suggested(offered(base)[name]) for name in base.main[:2]}
    images, labels = torch.stack([each.image for each in pictures]), torch.tensor([each.label for each in pictures])
    return Subject(clf.name, clf, images, labels, [each.name for each in pictures]), grid(base, values)


def ship_runs(clf: Classifier, resume: bool) -> None:
    """What the Explore page opens with."""
    name, attack = clf.name, SparseAttack()
    known = shipped.read(name) if resume else {}
    records = {}
    for done, sample in enumerate(gallery(), 1):
        picture, network = image_sha256(sample.image), shipped.fingerprint(clf)
        knobs = answering(attack)
        keys = {
            "run": shipped.key_of("run", network, picture, attack),
            **{knob: shipped.key_of(knob, network, picture, along(attack, knob)) for knob in knobs},
        }
        if not {*keys.values()} <= {*known}:
            run = shipped.run_record(explore(clf, sample.image, attack, splits=0), clf)
            response = respond(clf, sample.image, attack)
            made = [shipped.response_record(clf, sample.image, attack, k, response[k]) for k in knobs]
            known |= {made_one["key"]: made_one for made_one in [run, *made]}
        if (name, sample.name) == FILMED:
            keys["film"] = shipped.key_of("film", network, picture, attack)
            if keys["film"] not in known:
                film = record(clf, explore(clf, sample.image, attack, splits=0))
                known[keys["film"]] = shipped.film_record(film, clf, sample.image, attack)
        records |= {key: known[key] for key in keys.values()}
        shipped.write(name, records.values())
        print(f"{name}: {done} of {len(gallery())}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
