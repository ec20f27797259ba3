"""Attack many pictures of a data set and write one table and one report.

Every picture that a network sees correctly is attacked, and every pixel that changes is labelled. OUT gets report.html,
one file that opens without a network (figures, tables, pictures, settings, versions); the table, one row per picture
and network, as table.csv and table.parquet; left_out.csv, the pictures that are not attacked, and why; and what is done
so far, in runs.jsonl: stopped with Ctrl-C or killed, the same command goes on where it was, and a larger --n does only
what is new. A study that was made with another version, network, attack or other pictures is refused, never mixed.
"""

import argparse
import dataclasses
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import torch
from tqdm import tqdm

from explorer import user_code
from explorer.adapter import as_it_takes
from explorer.classifiers import Classifier
from explorer.commands import engines, methods, networks, options, pictures
from explorer.commands.tables import aligned
from explorer.evidence import DEFAULT_METHOD
from explorer.folders import check_is_folder, replace_file
from explorer.hashes import files_sha256
from explorer.images import to_png
from explorer.pipeline import cell, one_line
from explorer.pipeline.collection import folder_names
from explorer.samples import DATA_SETS, Listed, RoadSigns, named_pictures, sources
from explorer.studies import Ledger
from explorer.studies.dataset import (
    DataSetStudy,
    Gathered,
    Told,
    apply_changes,
    check_record,
    folder_pictures,
    gather,
    left_out_frame,
    record_of,
    report,
    to_csv,
    to_frame,
    write_frame,
    written_record,
)
from explorer.studies.dataset.findings import overviews
from explorer.studies.dataset.wording import overview_rows, sentence
from explorer.types import Step

EXAMPLES = """examples:
  python -m explorer dataset --model signs-resnet --n 100 --out out/signs
  python -m explorer dataset --model signs-resnet,signs-vit --pictures gallery --attack greedy --out out/two
  python -m explorer dataset --model cifar-resnet20 --pictures cifar10 --n 500 --save-pictures --out out/cifar
  python -m explorer dataset --model squeezenet1_0 --pictures photographs/ --guess --out out/photographs
  python -m explorer dataset --model my_network.py:load --pictures photographs/ --out out/own"""

RECORD, RUNS, REPORT, LEFT_OUT, PICTURES = "study.json", "runs.jsonl", "report.html", "left_out.csv", "pictures"
TABLES = ("table.csv", "table.parquet")
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which networks and pictures, how they are attacked and labelled, and where the files go."""
    networks.add_arguments(parser)
    parser.add_argument(
        "--pictures",
        default=RoadSigns.name,
        metavar="SOURCE",
        help=f"{pictures.named_sources()}; a folder of pictures, or of one folder of pictures per class, named like "
        "the classes or sorted in their order; or FILE.py:FUNCTION: a function of your own that returns images "
        f"(n, 3, h, w) in [0, 1] and labels (n,) as tensors (default: {RoadSigns.name})",
    )
    pictures.add_data_argument(parser)
    parser.add_argument(
        "--guess",
        action="store_true",
        help="what a network sees in a picture counts as its true class, whatever is known of it",
    )
    parser.add_argument("--n", type=options.whole, default=100, help="pictures, at most (default: 100)")
    parser.add_argument(
        "--choice-seed",
        type=options.whole,
        default=0,
        metavar="N",
        help="which pictures of a folder, or of a data set that is chosen from (default: 0)",
    )
    parser.add_argument(
        "--batch",
        type=options.whole,
        default=None,
        help="pictures attacked at a time (default: as many as fit the memory)",
    )
    engines.add_arguments(parser)
    methods.add_argument(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files; made if need be")
    parser.add_argument(
        "--save-pictures", action="store_true", help=f"also write the attacked pictures, as PNG, into OUT/{PICTURES}"
    )
    parser.add_argument("--restart", action="store_true", help="forget the study that OUT holds")
    options.add_attack(parser)


def run(args: argparse.Namespace) -> int:
    """Gather, attack, label, write."""
    attack = options.attack(args)
    if args.n < 1 or (args.batch is not None and args.batch < 1):
        raise ValueError(f"--n and --batch must be at least 1; got {args.n} and {args.batch}.")
    out, title = args.out, _title(args)
    _check_folder(out)
    if not (args.pictures in sources() or user_code.is_code(args.pictures)):
        pictures.tell_others(Path(args.pictures))
    gathered = [_gathered(name, args) for name in dict.fromkeys(args.model.split(","))]
    chosen = [methods.chosen_method(args.method, each.subject.network) for each in gathered]
    method = next((each for each in chosen if each != DEFAULT_METHOD), DEFAULT_METHOD)  # one for all networks
    record = record_of(gathered, attack, method, title, args.choice_seed)
    for name in record["networks"]:  # what decides over a function is its code
        if user_code.is_code(name):
            record["networks"][name] += files_sha256([Path(name.rpartition(":")[0])])
    if args.restart:
        _forget(out)
    check_record(out / RECORD, record)
    with engines.engine(args) as engine:
        ledger = Ledger(out / RUNS)
        study = DataSetStudy(gathered, attack, ledger, method=method, batch=args.batch, engine=engine)
        replace_file(out / RECORD, written_record(record))
        finished = _advance(study)
    _write(study, record, Told(title, _command(args, attack, method), f"{date.today():%d %B %Y}"), args)
    _tell(study)
    if not finished:
        print(f"Stopped: {study.done:,} of {study.total:,} are kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED
    print(f"Written to {out}: {', '.join([REPORT, *TABLES])}.")
    return 0


def _gathered(name: str, args: argparse.Namespace) -> Gathered:
    """What the network of this name is attacked on."""
    network = networks.load_network(name, args.device)
    clf = network
    if not isinstance(network, Classifier):
        clf = networks.as_classifier(network, name, _first_readable(args))
    listed = _listed(args, clf)
    if args.guess:
        listed = [dataclasses.replace(each, label=None) for each in listed]
    with tqdm(total=len(listed), desc="read", unit="picture", disable=None, leave=False) as bar:
        found = gather(clf, listed, title=name, stopped=lambda done: bar.update(done - bar.n) and False)
    for each in found.left_out:
        if each.kind != "mistaken":
            print(f"{one_line(each.picture)}: {one_line(each.reason)}", file=sys.stderr)
    return found


def _listed(args: argparse.Namespace, clf: Classifier) -> list[Listed]:
    """The pictures that were asked for, as this network can be asked about them."""
    if args.pictures in sources():
        return named_pictures(args.pictures, args.n, args.choice_seed, args.data)
    if user_code.is_code(args.pictures):
        images, labels = pictures.own_pictures(args.pictures)
        found = zip(as_it_takes(clf, images)[: args.n], labels.tolist(), strict=False)
        return [Listed(str(number), lambda image=image: image, label) for number, (image, label) in enumerate(found)]
    class_names = None if args.guess else clf.class_names
    return folder_pictures(Path(args.pictures), class_names, seed=args.choice_seed)[: args.n]


def _first_readable(args: argparse.Namespace) -> torch.Tensor:
    """One picture: one's own network may take pictures of its size."""
    if args.pictures in sources():
        return torch.empty(3, *DATA_SETS[sources()[args.pictures].dataset].input_size)
    if user_code.is_code(args.pictures):
        return pictures.own_pictures(args.pictures)[0][0]
    for each in folder_pictures(Path(args.pictures), seed=args.choice_seed):
        try:
            return each.read()
        except ValueError:
            continue
    raise ValueError(f"None of the pictures of {args.pictures} can be read.")


def _title(args: argparse.Namespace) -> str:
    """Where the pictures come from, in words."""
    guessed = ", true classes guessed by each network" if args.guess else ""
    known = sources().get(args.pictures)
    return (f"pictures of {args.pictures}" if known is None else known.title) + guessed


def _check_folder(out: Path) -> None:
    """Somebody else's files are not written over. Raises ValueError with one sentence."""
    check_is_folder(out)
    strange = [name for name in (*TABLES, REPORT, RUNS, LEFT_OUT) if (out / name).exists()]
    if strange and not (out / RECORD).exists():
        raise ValueError(f"{out / strange[0]} is not of a study of this command: name another folder.")


def _forget(out: Path) -> None:
    if (out / RECORD).exists():
        for name in (RUNS, RECORD, REPORT, LEFT_OUT, *TABLES):
            (out / name).unlink(missing_ok=True)


def _advance(study: DataSetStudy) -> bool:
    """Do all that is left, with progress; False if it was stopped with Ctrl-C."""
    with tqdm(total=study.total, initial=study.done, unit="picture", disable=None, leave=False) as bar:

        def on_step(step: Step) -> None:
            bar.set_postfix_str(f"attack of {study.next_batch} pictures, step {step.done:,} of {step.total:,}")

        try:
            while study.advance(on_step):
                bar.update(study.done - bar.n)
        except KeyboardInterrupt:
            return False
    return True


def _write(study: DataSetStudy, record: dict, told: Told, args: argparse.Namespace) -> None:
    rows = study.rows()
    if not rows:
        return
    frame, out = to_frame(rows), args.out
    replace_file(out / TABLES[0], to_csv(frame).encode())
    part = out / f"part-{TABLES[1]}"
    write_frame(frame, part)
    part.replace(out / TABLES[1])
    left_out = left_out_frame([each for one in study.gathered for each in one.left_out])
    replace_file(out / LEFT_OUT, left_out.map(cell).to_csv(index=False).encode())
    replace_file(out / REPORT, report(rows, study.gathered, record, told).encode())
    if args.save_pictures:
        _save_pictures(study, rows, out / PICTURES)


def _save_pictures(study: DataSetStudy, rows: Sequence[dict], folder: Path) -> None:
    images = {
        (each.subject.name, name): image
        for each in study.gathered
        for name, image in zip(each.subject.pictures, each.subject.images, strict=True)
    }
    names = folder_names([f"{row['network'].replace('/', '_')}/{row['picture']}" for row in rows])
    for row, name in zip(rows, names, strict=True):
        if row["change"]:
            attacked = apply_changes(images[row["network"], row["picture"]], row["change"])
            replace_file(folder / f"{name}.png", to_png(attacked))


def _tell(study: DataSetStudy) -> None:
    """The overview, and a sentence for each network."""
    rows = study.rows()
    if not rows:
        return
    views = overviews(to_frame(rows), study.gathered)
    print(aligned([{"measure": row.pop(""), **row} for row in overview_rows(views)]))
    for view in views:
        print(sentence(view))
    if left_out := sum(len(each.left_out) for each in study.gathered):
        print(f"Not attacked: {left_out:,}; {LEFT_OUT} says why.")


def _command(args: argparse.Namespace, attack: object, method: str) -> str:
    """The command that does it again."""
    given = ["dataset", "--model", args.model, "--pictures", args.pictures, "--n", str(args.n)]
    given += ["--choice-seed", str(args.choice_seed), "--method", method, "--attack", args.attack]
    given += ["--guess"] * args.guess + (["--data", str(args.data)] if args.data else [])
    usual = dataclasses.asdict(type(attack)())
    for name, value in dataclasses.asdict(attack).items():
        if value != usual[name]:
            option = name.replace("_", "-")
            given += [f"--{'' if value else 'no-'}{option}"] if isinstance(value, bool) else [f"--{option}", str(value)]
    return f"python -m explorer {shlex.join(given)} --out {shlex.quote(str(args.out))}"
