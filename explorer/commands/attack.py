"""Attack a picture, or every picture of a folder, and explain every changed pixel.

Writes adversarial.png, overlay.png, pixels.csv and result.json. The exit code is 0 if the network is fooled, 3 if it
is not, 2 if the input is bad.

Of a folder, it writes these into DIR/NAME for each picture, and the table DIR/results.csv. Pictures in a folder that
is named like a class, such as stop/1.png, have that class. The exit code is 0 if all are fooled, 3 if some are not, 2
if a picture could not be attacked; the others are, and the table says why. The same command goes on after it was
stopped: what was done with the same settings, by the picture's content, is not done again.
"""

import argparse
import json
from pathlib import Path

from tqdm import tqdm

from explorer.attacks import ATTACKS, Attack
from explorer.classifiers import Classifier
from explorer.commands import folder, methods, networks, options, pictures, regions
from explorer.commands.tables import aligned
from explorer.evidence import trust
from explorer.folders import check_is_folder, replace_file
from explorer.images import fit
from explorer.palette import kind_text
from explorer.pipeline import (
    FOOLS,
    PAPER,
    RESULT,
    UPLOAD,
    Exploration,
    Finding,
    check_folder,
    explore,
    paper_kit,
    query_of,
    run_files,
)
from explorer.types import Image, PixelLabel, Sample, Step

EXAMPLES = """examples:
  python -m explorer attack stop-1 --model signs-resnet --out out/stop
  python -m explorer attack stop-1 --model signs-resnet --target "Speed limit 80" --lam 2 --out out/stop-80
  python -m explorer attack photo.jpg --model signs-resnet --preset paper --steps 300 --out out/photo
  python -m explorer attack stop-1 --model signs-resnet --attack greedy --random-queries 2000 --out out/greedy
  python -m explorer attack stop-1 --model signs-resnet --region not-sign --max-change 0.5 --out out/beside
  python -m explorer attack photographs/ --model signs-resnet --out out/all
  python -m explorer attack cat.png --model my_network.py:load --label 3 --out out/cat"""

ROWS = 20  # of the table of pixels on the terminal; pixels.csv has them all
NOT_FOOLED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to attack, how, and where the files go."""
    parser.add_argument(
        "picture",
        metavar="PICTURE",
        help="a PNG, JPEG, WebP or BMP file, a folder of them, or by name a sign (stop-1), a photograph (chelsea, "
        "coffee, …) or, where CIFAR-10 is there, one of its test set (cifar10-42)",
    )
    networks.add_arguments(parser)
    parser.add_argument("--label", help="the true class, by name or index (a sign's is known to networks of signs)")
    parser.add_argument("--target", help="the class to be mistaken for, by name or index (default: any wrong one)")
    regions.add_arguments(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the files; made if need be")
    methods.add_argument(parser)
    parser.add_argument(
        "--paper",
        action="store_true",
        help=f"also write {PAPER}: figures as PDF and SVG, a LaTeX table, caption, citation, and the program that "
        "makes the result again",
    )
    presets = list(dict.fromkeys(preset for name in ATTACKS for preset in options.presets(name)))
    parser.add_argument(
        "--preset", choices=presets, default=options.DEFAULT_PRESET, help="what the settings below start from"
    )
    options.add_attack(parser)


def run(args: argparse.Namespace) -> int:
    """Attack, print the story, write the files, and check that the saved picture still fools."""
    attack = _attack(args)
    check_is_folder(args.out)
    if pictures_of := folder.named(args.picture):
        return folder.attack_folder(args, pictures_of, attack)
    network = networks.load_network(args.model, args.device)
    sample = pictures.find_picture(args.picture)
    clf = networks.as_classifier(network, args.model, sample.image)
    label = sample.label_for(clf.dataset)
    if args.label is not None:
        label = networks.class_index(args.label, clf.class_names)
    target = None if args.target is None else networks.class_index(args.target, clf.class_names)
    region, method = regions.chosen_region(args.region, sample, clf), methods.chosen_method(args.method, clf)
    check_folder(args.out)
    args.out.mkdir(parents=True, exist_ok=True)

    image = fit(sample.image, clf.input_size)
    with tqdm(desc="attack", unit="step", disable=None, leave=False) as bar:

        def on_step(step: Step) -> None:
            bar.total = step.total
            bar.update(step.done - bar.n)

        exploration = explore(
            clf, image, attack, label=label, target=target, region=region, method=method, on_step=on_step
        )
    files = run_files(exploration, clf)
    if args.paper:
        files[PAPER] = paper_kit(exploration, query_of(exploration, _linked(sample)))
    for name, content in files.items():
        replace_file(args.out / name, content)
    fools = json.loads(files[RESULT])[FOOLS]

    if image.shape != sample.image.shape:
        print(_fitted(sample.image, clf))
    print(_attacked_from(exploration))
    print(_told(exploration))
    print(f"\nWritten to {args.out}: {', '.join(files)}.")
    if exploration.succeeded:
        print(f"Read back from its file, the picture {'still fools' if fools else 'does not fool'} {clf.name}.")
    return 0 if fools else NOT_FOOLED


def _attack(args: argparse.Namespace) -> Attack:
    presets = options.presets(args.attack)
    if args.preset not in presets:
        raise ValueError(f"The attack {args.attack!r} has no preset {args.preset!r}: it has {', '.join(presets)}.")
    return ATTACKS[args.attack](**presets[args.preset] | options.chosen(args))


def _linked(sample: Sample) -> str:
    """What a link calls the picture: a file cannot be in it."""
    return sample.name if sample.meta else UPLOAD


def _fitted(image: Image, clf: Classifier) -> str:
    (height, width), (new_height, new_width) = image.shape[1:], clf.input_size
    return (
        f"The picture has {width:,} × {height:,} pixels: its middle was fitted to the {new_width} × {new_height} that "
        f"{clf.name} sees."
    )


def _attacked_from(exploration: Exploration) -> str:
    """From which class the picture was attacked, and why from that one."""
    each, names = exploration, exploration.class_names
    if each.true_label is None:
        return f"The true class is not given: attacked from what {each.network} sees, {names[each.label]}."
    if each.already_wrong:
        return (
            f"{each.network} takes this {names[each.true_label]} for {names[each.label]}: attacked from what it sees."
        )
    return f"{each.network} sees this {names[each.label]} as what it is."


def _told(exploration: Exploration) -> str:
    """The story, the count after each stage, what is worth knowing of it, what went badly and its cure, and the
    labelled pixels.
    """
    each = exploration
    counts = " → ".join(f"{int(count):,} {stage}" for stage, count in each.result.stage_pixels().items())
    lines = [each.story, f"Changed pixels: {counts}; {each.n_entries:,} entries."]
    lines += each.remarks
    lines += [f"{found.seen} Likely because {found.cause}.{_cure(found)}" for found in each.findings]
    if each.evidence:
        pixels = sorted(each.evidence.pixels, key=lambda pixel: max(pixel.obscuring, pixel.leading), reverse=True)
        lines += ["", aligned([_row(pixel) for pixel in pixels[:ROWS]])]
        if len(pixels) > ROWS:
            lines.append(f"… and {len(pixels) - ROWS:,} more in pixels.csv")
        card = trust(each.evidence)
        lines += ["", f"Trust card, {card.colour}: {card.sentence}"]
    return "\n".join(lines)


def _cure(found: Finding) -> str:
    """What to do, where that is no setting, which would have to be tried first."""
    return f" Try {found.cure}." if found.cure and not found.cures else ""


def _row(pixel: PixelLabel) -> dict[str, object]:
    colours = ("#{:02x}{:02x}{:02x}".format(*rgb) for rgb in (pixel.before, pixel.after))
    return {
        "row": pixel.row,
        "col": pixel.col,
        "before → after": " → ".join(colours),
        "label": kind_text(pixel.kind, pixel.weak),
        "obscuring": pixel.obscuring,
        "leading": pixel.leading,
        "reversal agrees": pixel.agrees,
    }
