"""Make the results that come with the project: `python -m tests.ship_results`.

For every bundled sign and every network of the signs: the default run, and how the optimised stage's count answers to
a, λ and τ around it; and the film of the run that the page opens with. About twenty minutes on one core; what is done
is on the disk after each picture, and `--resume` keeps it.
"""

import argparse
import sys

import torch

from explorer import SparseAttack, load_classifier
from explorer.classifiers import CLASSIFIERS
from explorer.hashes import image_sha256
from explorer.pipeline import along, answering, explore, record, respond, shipped
from explorer.samples import gallery

NETWORKS = tuple(name for name, card in CLASSIFIERS.items() if card.dataset == "signs" and card.source == "bundled")
FILMED = "signs-resnet", "stop-1"  # what the page opens with


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=",".join(NETWORKS), help="networks, separated by commas")
    parser.add_argument("--resume", action="store_true", help="keep the entries that are there and still belong")
    args = parser.parse_args()
    torch.set_num_threads(1)  # so that a batch's runs are single runs to the last bit
    attack = SparseAttack()
    for name in args.model.split(","):
        clf = load_classifier(name)
        known = shipped.read(name) if args.resume else {}
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
