"""Find the best setting for a network and its pictures.

An Optuna study looks for few pixels, much success and little time, starting from the given settings. Several processes
or machines with the same --storage and --study share the work: no trial is done twice, and that of a process that dies
is done by another. The recommended setting is then checked on pictures that the search has not seen.
"""

import argparse
import dataclasses
import json
import math
from pathlib import Path

from optuna import Study
from tqdm import tqdm

from explorer.attacks import ATTACKS, Attack
from explorer.commands import networks, options, pictures
from explorer.commands.sweep import INTERRUPTED
from explorer.commands.tables import aligned, check_file
from explorer.folders import has_key, is_filled, replace_file
from explorer.studies.tuning import (
    Outcome,
    Recommendation,
    Task,
    check,
    checked,
    completed,
    open_study,
    outcome,
    recommend,
    shown,
    usual,
    work,
)

EXAMPLES = """examples:
  python -m explorer tune --model signs-resnet --trials 50
  python -m explorer tune --model signs-resnet --over a,lam,tau,surrogate --n 20 --no-polish --study bare
  python -m explorer tune --model signs-resnet --storage postgresql://user@host/optuna --check 0

A shared database needs its driver beside Optuna: psycopg2-binary for PostgreSQL, PyMySQL for MySQL."""

ROWS = 10  # of the printed table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which network and pictures, what is tuned, where the study lies, and the settings to start from."""
    networks.add_arguments(parser)
    pictures.add_arguments(parser, default="renders", batch=None)
    parser.set_defaults(n=40)
    parser.add_argument(
        "--trials", type=options.whole, default=40, help="of the whole study, by all processes (default: 40)"
    )
    parser.add_argument(
        "--over", metavar="NAME,...", help="the settings to tune (default: the main ones, and those of the step)"
    )
    parser.add_argument(
        "--check",
        type=options.whole,
        default=100,
        help="further pictures to check the result on; 0: none (default: 100)",
    )
    parser.add_argument(
        "--storage",
        default="sqlite:///out/tune.db",
        metavar="URL",
        help="the database, as SQLAlchemy names it (default: sqlite:///out/tune.db)",
    )
    parser.add_argument("--study", metavar="NAME", help="the study's name (default: the network's and the attack's)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/tune.json"), metavar="FILE", help="the result (default: out/tune.json)"
    )
    options.add_attack(parser)


def run(args: argparse.Namespace) -> int:
    """Search, print the best settings, check the recommended one, write it."""
    base = options.attack(args)
    check_file(args.out)
    if is_filled(args.out) and not has_key(args.out, "tuned_on"):
        raise ValueError(f"{args.out} is no result of this command: name another file, or move it away.")
    if min(args.trials, args.n) < 1 or args.check < 0:
        raise ValueError(
            "--trials and --n must be at least 1, and --check at least 0; "
            f"got {args.trials}, {args.n} and {args.check}."
        )
    network = networks.load_network(args.model, args.device)
    images, labels = pictures.correctly_classified(network, args.pictures, args.n + args.check, seed=0, data=args.data)
    if len(images) <= args.n and args.check:
        raise ValueError(f"{args.pictures} has {len(images)} usable pictures: none is left to check on; see --n.")
    over = usual(base) if args.over is None else tuple(filter(None, args.over.split(",")))
    task = Task(network, images[: args.n], labels[: args.n], base, over)
    usual_attack = args.attack == next(iter(ATTACKS))
    study = open_study(args.storage, args.study or args.model + ("" if usual_attack else f" {args.attack}"), task)
    if not _search(study, task, args.trials):
        return INTERRUPTED
    best = recommend(study, task)
    print(
        f"{args.model}: {len(completed(study, task))} trials, each on {len(task.images)} correctly classified pictures"
    )
    print(_table(study, task))
    print(f"Recommended: {_settings(best.attack, task)} (trial {best.trial}). {best.reason}")
    record = {
        "model": args.model,
        "attack": type(best.attack).__name__,
        "settings": dataclasses.asdict(best.attack),
        "reason": best.reason,
        "tuned_on": _numbers(best.outcome),
    }
    if args.check:
        unseen = dataclasses.replace(task, images=images[args.n :], labels=labels[args.n :])
        record["checked_on"] = _check(study, best, unseen)
    replace_file(args.out, (json.dumps(record, indent=1) + "\n").encode())
    print(f"Written to {args.out}; the study is {study.study_name!r} in {shown(args.storage)}.")
    return 0


def _search(study: Study, task: Task, trials: int) -> bool:
    with tqdm(total=trials, unit="trial", disable=None, leave=False) as bar:
        return work(study, task, trials, on_trial=lambda study: bar.update(len(completed(study, task)) - bar.n))


def _check(study: Study, best: Recommendation, unseen: Task) -> dict[str, object]:
    """The recommended setting and the one the search started from, on pictures that the search has not seen."""
    found = checked(study, best, unseen) or check(study, best, unseen)
    rows = {"recommended": found.recommended, "as it started": found.start}
    print(f"Checked on {len(unseen.images)} pictures that were not used:")
    print(aligned([{"setting": name, **_numbers(each)} for name, each in rows.items()]))
    if found.difference.pictures:
        print(f"Difference: {found.difference}, picture by picture, 95 % interval: {found.difference.verdict}.")
    else:
        print(f"They are {found.difference.verdict}: {found.difference}.")
    return {
        "recommended": _numbers(found.recommended),
        "start": _numbers(found.start),
        "difference": _finite(found.difference.mean),
        "half_width": _finite(found.difference.half_width),
        "verdict": found.difference.verdict,
    }


def _finite(number: float) -> float | None:
    """None, which JSON has, for what it has not."""
    return number if math.isfinite(number) else None


def _table(study: Study, task: Task) -> str:
    """The best trials: those that fool most often, by their pixels."""
    trials = sorted(completed(study, task), key=lambda trial: (-outcome(trial).success, outcome(trial).pixels))
    return aligned(
        [
            {
                "trial": str(trial.number),
                **{name: options.shown(trial.params[name]) for name in task.over},
                **_numbers(outcome(trial)),
            }
            for trial in trials[:ROWS]
        ]
    )


def _settings(attack: Attack, task: Task) -> str:
    return ", ".join(f"{name} {options.shown(getattr(attack, name))}" for name in task.over)


def _numbers(of: Outcome) -> dict[str, float]:
    return {"fooled": of.success, "pixels": of.pixels, "seconds": of.seconds}
