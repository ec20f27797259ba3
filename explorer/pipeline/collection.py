"""Many pictures, attacked one after another into one folder, with one table. What was done once is not done again."""

import csv
import dataclasses
import hashlib
import io
import json
import shutil
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

import explorer
from explorer.attacks import Attack
from explorer.classifiers import Classifier
from explorer.evidence import DEFAULT_METHOD
from explorer.folders import replace_file
from explorer.hashes import network_sha256
from explorer.images import Resize, fit_pixels, from_uint8
from explorer.pipeline.escaping import cell
from explorer.pipeline.exploration import explore
from explorer.pipeline.exports import picture_sha256
from explorer.pipeline.files import FILES, FOOLS, RESULT, check_folder, run_files
from explorer.pipeline.paper import PAPER, paper_kit
from explorer.regions import Region, Size
from explorer.types import STAGES, OnStep

TABLE = "results.csv"
LONGEST = 150  # bytes of a folder's name, which systems limit to 255

Row = dict[str, Any]
COLUMNS = (
    "file",
    "folder",
    "label",
    "before",
    "probability_before",
    "after",
    "probability_after",
    "fooled",
    "pixels",
    *(f"pixels_{stage}" for stage in STAGES),
    "obscuring",
    "leading",
    "weak",
    "trust",
    "seconds",
    "picture",
    "settings",
    "problem",
)


@dataclass(frozen=True)
class Picture:
    """One of many pictures: it is only read when its turn has come."""

    file: str  # what it is called, with / between folders
    read: Callable[[], np.ndarray]  # (h, w, 3) uint8, in its own size. Raises ValueError with one sentence
    label: int | None = None  # the true class, if it is known
    resize: Resize | None = None  # None: as suits the sizes


def everywhere(_original: Size) -> None:
    """The region of a picture of this size: all of it."""


class Collection:
    """The pictures, how they are attacked, and the rows of those that are done."""

    def __init__(
        self,
        pictures: Sequence[Picture],
        clf: Classifier,
        attack: Attack,
        out: Path,
        *,
        target: int | None = None,
        region: Callable[[Size], Region | None] = everywhere,
        method: str = DEFAULT_METHOD,
        stage: str | None = None,
        about: str = "",
        paper: bool = False,
    ) -> None:
        """`region` gets a picture's own size. `about` is what decides over the network beside its numbers, such as the
        code of a function. `paper`: a paper kit for each. Raises ValueError with one sentence if `out` holds another
        program's table.
        """
        self.pictures, self.out = tuple(pictures), out
        self.folders = folder_names([picture.file for picture in pictures])
        self.rows: list[Row] = []
        self._clf, self._attack = clf, attack
        self._given = {"target": target, "method": method, "stage": stage}
        self._region = region
        settings = dataclasses.asdict(attack)
        network = network_sha256(clf), clf.name, clf.class_names, clf.input_size, about
        self._decides = [explorer.__version__, network, type(attack).__name__, settings, self._given]
        _check_table(out / TABLE)
        self._made = _made(out / TABLE)
        self._files = (PAPER, *FILES) if paper else FILES
        self._known = _known(out, self._files)

    @property
    def finished(self) -> bool:
        return len(self.rows) == len(self.pictures)

    @property
    def next_file(self) -> str:
        return self.pictures[len(self.rows)].file

    def advance(self, on_step: OnStep | None = None) -> tuple[Row, bool] | None:
        """Attack the next picture, and write its files and the table: its row, and whether it was done before. One that
        cannot be attacked has the reason as its `problem`. None if `on_step` has stopped it.
        """
        number = len(self.rows)
        picture, folder = self.pictures[number], self.folders[number]
        try:
            done = self._result(picture, folder, on_step)
            if done is None:
                return None
            row, again = _row(done[0]), done[1]
        except ValueError as error:
            row, again = {"problem": " ".join(str(error).split())}, False
        self.rows.append(dict.fromkeys(COLUMNS, "") | row | {"file": picture.file, "folder": folder})
        if not again or self.finished:  # what is known again is in the table of the time before
            replace_file(self.out / TABLE, table_csv(self.rows).encode())
        return self.rows[-1], again

    def _result(self, picture: Picture, folder: str, on_step: OnStep | None) -> tuple[dict, bool] | None:
        pixels = picture.read()
        region = self._region(pixels.shape[:2])
        image = from_uint8(fit_pixels(pixels, tuple(self._clf.input_size), picture.resize))
        del pixels  # which may be large
        settings = _fingerprint([*self._decides, None if region is None else region.text])
        key = {"picture": picture_sha256(image), "settings": settings, "label": picture.label}
        if known := self._again(key, folder):
            return known, True
        if folder not in self._made:  # what was made here and is damaged is made anew
            check_folder(self.out / folder)
        found = explore(
            self._clf, image, self._attack, label=picture.label, region=region, on_step=on_step, **self._given
        )
        if found.result.stopped:
            return None
        files = {PAPER: paper_kit(found)} if PAPER in self._files else {}
        files |= run_files(found, self._clf, collection=key)
        for name, content in files.items():
            replace_file(self.out / folder / name, content)
        self._known[_fingerprint(key)] = self.out / folder
        return json.loads(files[RESULT]), False

    def _again(self, key: dict, folder: str) -> dict | None:
        """What is known of this picture with these settings, whatever it was called then."""
        where = self._known.get(_fingerprint(key))
        told = None if where is None else _told(where, self._files)
        if told is None or told["collection"] != key:  # another picture has come to its place since
            return None
        if where != self.out / folder:
            shutil.copytree(where, self.out / folder, dirs_exist_ok=True, ignore=_all_but_files)
        return told


def folder_names(files: Sequence[str]) -> list[str]:
    """A folder's name for each of these files, no two alike, whichever letters a system tells apart."""
    taken: set[str] = set()
    names = []
    for file in files:
        path = PurePosixPath(file)
        name = "/".join([*map(_safe, path.parts[:-1]), _safe(path.stem)])
        number, unique = 1, name
        while _alike(unique) in taken or _alike(unique.rpartition("/")[2]) in (TABLE, PAPER, *FILES):
            number += 1
            unique = f"{name} {number}"
        taken.add(_alike(unique))
        names.append(unique)
    return names


def summary(rows: Sequence[Row]) -> str:
    """How it went with all of them, in one sentence."""
    fooled = [row["pixels"] for row in rows if row["fooled"]]
    problems = sum(bool(row["problem"]) for row in rows)
    pixels = f", by {sum(fooled) / len(fooled):,.1f} pixels on average" if fooled else ""
    refused = f"; {problems:,} could not be attacked" if problems else ""
    return f"{len(fooled):,} of {len(rows):,} pictures fooled the network{pixels}{refused}."


def table_csv(rows: Sequence[Row]) -> str:
    """The rows as a table."""
    file = io.StringIO()
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def archive(out: Path, rows: Sequence[Row]) -> bytes:
    """The table and the files of these rows as a ZIP file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr(TABLE, table_csv(rows))
        for row in rows:
            if not row["problem"]:
                for name in (*FILES, PAPER):
                    if (path := out / row["folder"] / name).is_file():
                        content.write(path, f"{row['folder']}/{name}")
    return file.getvalue()


def _row(result: dict) -> Row:
    """What the table says of a result."""
    labels, evidence = result["labels"], result["evidence"]
    true, before, after = (labels[key] and labels[key]["name"] for key in ("true", "attacked", "after"))
    row = {
        "label": true or "",
        "before": before,
        "probability_before": result["confidence"]["before"],
        "after": after,
        "probability_after": result["confidence"]["after"],
        "fooled": result[FOOLS],
        "pixels": result["n_pixels"],
        **{f"pixels_{stage}": count for stage, count in result["n_pixels_after_stage"].items()},
        "seconds": round(sum(result["seconds"].values()), 3),
        **{key: result["collection"][key] for key in ("picture", "settings")},
    }
    if evidence:
        row |= evidence["counts"] | {"weak": sum(pixel["weak"] for pixel in evidence["pixels"])}
        row["trust"] = evidence["trust"]["colour"]
    return row


def _known(out: Path, files: Sequence[str]) -> dict[str, Path]:
    """The folders in `out` that hold all files of a run of ours, by the fingerprint of what was attacked and how."""
    found = {}
    for path in sorted((*out.glob(f"*/{RESULT}"), *out.glob(f"*/*/{RESULT}"))):
        if told := _told(path.parent, files):
            found[_fingerprint(told["collection"])] = path.parent
    return found


def _told(folder: Path, files: Sequence[str]) -> dict | None:
    """The result in this folder, if all `files` are there and it is one of ours."""
    try:
        told = json.loads((folder / RESULT).read_bytes())
        complete = isinstance(told, dict) and all((folder / name).is_file() for name in files)
        return told if complete and _row(told) else None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ):  # not there, damaged, or somebody else's
        return None


def _check_table(path: Path) -> None:
    """Somebody else's file is not written over."""
    if path.exists():
        try:
            head = path.read_text(encoding="utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError):
            head = ""
        if head != ",".join(COLUMNS):
            raise ValueError(f"{path} is no table of this command: name another folder, or move it away.")


def _made(path: Path) -> set[str]:
    """The folders whose files this table says were written."""
    if not path.exists():
        return set()
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        return {row["folder"] or "" for row in csv.DictReader(file) if not row["problem"]}


def _fingerprint(known: Any) -> str:
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _all_but_files(_folder: str, names: list[str]) -> set[str]:
    return {*names} - {PAPER, *FILES}


def _safe(name: str) -> str:
    """A name that every system takes for a folder's, also out of an archive."""
    letters = (each if each.isprintable() and each not in '<>:"/\\|?*' else "_" for each in name)
    return "".join(letters).encode()[:LONGEST].decode(errors="ignore").strip(". ") or "picture"


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
