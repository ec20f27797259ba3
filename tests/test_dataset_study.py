"""A study of a whole data set: what is attacked and what is left out, the rows, the ledger, the table."""

import errno
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from explorer.attacks import SparseAttack
from explorer.grid import same_picture
from explorer.images import to_png
from explorer.samples import Listed, find_new_sign, find_sample, new_sign
from explorer.studies import Ledger
from explorer.studies.dataset import (
    DataSetStudy,
    apply_changes,
    changes_of,
    check_record,
    folder_pictures,
    gather,
    read_changes,
    read_frame,
    record_of,
    to_csv,
    to_frame,
    write_changes,
    write_frame,
    written_record,
)
from explorer.studies.dataset.changes import Change
from explorer.studies.dataset.table import COUNTS, FLAGS, TEXT
from explorer.types import Image
from tests.halves import SIDE, halves, picture

QUICK = SparseAttack(steps=8, polish=False)


def listed(**images: Image) -> list[Listed]:
    return [Listed(name, lambda image=image: image, label) for name, (image, label) in images.items()]


def broken() -> Image:
    raise ValueError("The file is\nempty.")


FOUR = {"one": (picture(9), 0), "two": (picture(5, 4), 1), "wrong": (picture(5, 5), 0), "unknown": (picture(20), None)}


def study(ledger: Ledger | None = None, attack: SparseAttack = QUICK, **images) -> DataSetStudy:
    return DataSetStudy([gather(halves(), listed(**(images or FOUR)))], attack, ledger)


def finished(work: DataSetStudy) -> list[dict]:
    while work.advance():
        pass
    assert work.left == 0
    return work.rows()


def test_only_what_the_network_sees_correctly_is_attacked_and_the_rest_says_why():
    pictures = [*listed(**FOUR), Listed("bad 🛑 file.png", broken), Listed("copy", lambda: picture(9), 0)]
    found = gather(halves(), pictures)
    assert found.subject.pictures == ("one", "two", "unknown")
    assert found.subject.labels.tolist() == [0, 1, 0]
    assert found.known == (True, True, False)
    assert (found.n_right, found.n_known) == (2, 3)
    assert {(each.picture, each.kind, each.reason) for each in found.left_out} == {
        ("bad 🛑 file.png", "unreadable", "The file is empty."),
        ("copy", "copy", "the same picture as one"),
        ("wrong", "mistaken", "the network mistakes it: Top is seen as Bottom"),
    }


def test_tiny_grey_and_large_pictures_are_fitted_and_their_sizes_kept(tmp_path):
    rng = np.random.default_rng(0)
    for name, shape in (("tiny", (1, 1)), ("gr ey 🛑", (40, 30)), ("large", (300, 200, 3))):
        from PIL import Image as Pillow

        Pillow.fromarray(rng.integers(0, 255, shape, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    found = gather(halves(), folder_pictures(tmp_path))
    assert dict(zip(found.subject.pictures, found.sizes, strict=True)) == {
        "tiny.png": (1, 1),
        "gr ey 🛑.png": (40, 30),
        "large.png": (300, 200),
    }
    assert found.subject.images.shape == (3, 3, SIDE, SIDE)
    assert {each.picture for each in found.left_out} == {"broken.png", "empty.jpg"}


def test_folders_are_classes_by_their_names_or_refused(tmp_path):
    for folder, image in (("top", picture(9)), ("Bot-tom", picture(9, 4)), ("empty", None)):
        (tmp_path / folder).mkdir()
        if image is not None:
            (tmp_path / folder / "1.png").write_bytes(to_png(image))
    (tmp_path / "loose.png").write_bytes(to_png(picture(30)))
    found = {each.name: each.label for each in folder_pictures(tmp_path, ("Top", "Bottom"))}
    assert found == {"top/1.png": 0, "Bot-tom/1.png": 1, "loose.png": None}
    with pytest.raises(ValueError, match="'Bot-tom' is no class of the network, and 2 folders are not its 3 classes"):
        folder_pictures(tmp_path, ("a", "b", "c"))
    assert {each.label for each in folder_pictures(tmp_path)} == {None}
    with pytest.raises(ValueError, match="holds no pictures"):
        folder_pictures(tmp_path / "empty")
    assert [each.name for each in folder_pictures(tmp_path, seed=1)] != [
        each.name for each in folder_pictures(tmp_path)
    ]


def test_pictures_of_another_data_set_or_class_are_refused():
    clf = halves()
    clf.dataset = "cifar10"
    with pytest.raises(
        ValueError, match=r"halves knows CIFAR-10, and the true class of sign-1 is one of rendered road"
    ):
        gather(clf, [Listed.of(new_sign(1))])
    with pytest.raises(ValueError, match="three has class 2; halves knows 0 to 1"):
        gather(halves(), listed(three=(picture(1), 2)))
    with pytest.raises(ValueError, match=r"None of the pictures can be attacked\. the network mistakes it"):
        study(wrong=(picture(5, 5), 0))


def test_a_row_says_all_of_its_picture():
    rows = finished(study())
    assert [row["picture"] for row in rows] == ["one", "two", "unknown"]
    for row, (image, _) in zip(rows, (FOUR[name] for name in ("one", "two", "unknown")), strict=True):
        assert row["succeeded"]
        assert {row["true_class"], row["wrong_class"]} == {"Top", "Bottom"}
        adversarial = apply_changes(image, row["change"])
        assert halves()(adversarial[None]).argmax(1).item() == ["Top", "Bottom"].index(row["wrong_class"])
        changes = read_changes(row["change"], row["kinds"])
        assert len(changes) == row["n_pixels"] == row["obscuring"] + row["leading"]
        assert sum(each.kind == "obscuring" for each in changes) == row["obscuring"]
        assert sum(each.weak for each in changes) == row["weak"]
        assert row["trust"] in ("green", "amber", "red")
        assert (row["height"], row["width"]) == (SIDE, SIDE)
        assert row["steps"] == 8
        assert row["explorer"]
        assert len(row["code_sha256"]) == 64


def test_what_is_not_fooled_has_no_labels_and_no_wrong_class():
    (row,) = finished(study(attack=SparseAttack(steps=3, max_change=0.004, polish=False), far=(picture(150), 0)))
    assert (row["succeeded"], row["wrong_class"], row["kinds"], row["trust"]) == (False, "", "", "")
    assert row["obscuring"] == row["leading"] == row["weak"] == 0


def test_it_goes_on_where_it_was_and_does_nothing_twice(tmp_path):
    file = tmp_path / "runs.jsonl"
    first = study(Ledger(file))
    assert first.advance()  # the attacks
    assert (first.attacked, first.done) == (3, 0)
    assert first.advance()  # the labels
    rows = first.rows()
    again = study(Ledger(file))
    assert again.left == 0
    assert not again.advance()
    assert again.rows() == rows
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-1]) + "\n")  # killed while it wrote the last label
    third = study(Ledger(file))
    assert third.left == 1
    assert [row["picture"] for row in finished(third)] == ["one", "two", "unknown"]


def test_a_renamed_picture_is_known_by_its_content_and_has_its_new_name(tmp_path):
    finished(study(Ledger(tmp_path / "runs.jsonl")))
    renamed = study(Ledger(tmp_path / "runs.jsonl"), other=FOUR["one"])
    assert renamed.left == 0
    assert [row["picture"] for row in renamed.rows()] == ["other"]


def test_a_batch_that_is_stopped_is_done_again():
    work = study()
    assert not work.advance(lambda step: True)
    assert work.attacked == 0
    assert len(finished(work)) == 3


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    file = tmp_path / "runs.jsonl"
    work = study(Ledger(file))
    work.advance()
    before = file.read_text()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Ledger, "_write", full)
    with pytest.raises(ValueError, match="cannot be written: No space left on device"):
        work.advance()
    assert file.read_text() == before
    monkeypatch.undo()
    assert len(finished(work)) == 3
    assert study(Ledger(file)).left == 0, "also what could not be written then"


def test_the_record_refuses_what_would_mix_two_studies(tmp_path):
    gathered = [gather(halves(), listed(**FOUR))]
    record = record_of(gathered, QUICK, "integrated_gradients", "signs", 0)
    file = tmp_path / "study.json"
    check_record(file, record)
    file.write_bytes(written_record(record))
    check_record(file, record)
    changed = {
        "version": ("0.1", "another version of this program"),
        "networks": ({"halves": "1" * 64}, "other networks"),
        "attack": ("Greedy", "another attack"),
        "settings": ({"steps": 9}, "other settings"),
        "pictures": ("cifar10", "other pictures"),
    }
    for name, (value, says) in changed.items():
        with pytest.raises(ValueError, match=f"holds a study made with {says}.*never mixed"):
            check_record(file, record | {name: value})
    for content in ("", "{}", "[1]", '{"version": 1}'):
        file.write_text(content)
        with pytest.raises(ValueError, match="no record of a study"):
            check_record(file, record)


changes = some.lists(
    some.builds(
        Change,
        some.integers(0, 999),
        some.integers(0, 999),
        some.tuples(*[some.integers(0, 255)] * 3),
        some.sampled_from(["obscuring", "leading"]),
        some.booleans(),
    ),
    max_size=20,
)


@given(changes)
def test_a_change_as_text_is_read_as_it_was_written(pixels):
    kinds = "".join(each.kind[0].upper() for each in pixels)
    kinds = "".join(letter.lower() if each.weak else letter for letter, each in zip(kinds, pixels, strict=True))
    assert read_changes(write_changes(pixels), kinds) == pixels


@given(some.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_a_change_puts_the_attacked_picture_back(seed):
    random = torch.Generator().manual_seed(seed)
    image, other = (torch.randint(0, 256, (3, 5, 7), generator=random) / 255 for _ in range(2))
    attacked = torch.where(torch.rand(5, 7, generator=random) < 0.3, other, image)
    assert same_picture(apply_changes(image, write_changes(changes_of(image, attacked))), attacked)


@pytest.mark.parametrize("text", ["1,2", "1,2#ff", "1,2#FF00FF", "-1,2#ff0000", "a", "1,2#ff0000,3"])
def test_what_is_no_change_is_one_sentence(text):
    with pytest.raises(ValueError, match="A changed pixel is written like"):
        read_changes(text)


def test_two_networks_of_one_content_are_done_once_and_both_told():
    one, other = (gather(halves(), listed(**FOUR), title=title) for title in ("one", "other"))
    work = DataSetStudy([one, other], QUICK)
    assert work.total == 3
    rows = finished(work)
    assert work.done == 3
    assert [row["network"] for row in rows] == ["one"] * 3 + ["other"] * 3


@pytest.mark.parametrize("odd", [{}, {"kinds": "OOO"}, {"change": 3}, {"trust": "blue"}, {"label_seconds": "long"}])
def test_labels_that_were_changed_count_as_not_done(odd, tmp_path):
    file = tmp_path / "runs.jsonl"
    rows = finished(study(Ledger(file)))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    labels = next(line for line in lines if line.get("kinds"))
    changed = {"key": labels["key"]} | ((labels | odd) if odd else {})
    file.write_text("".join(json.dumps(changed if line is labels else line) + "\n" for line in lines))
    again = study(Ledger(file))
    assert again.left == 1
    assert [row["kinds"] for row in finished(again)] == [row["kinds"] for row in rows]


def test_no_text_of_the_table_is_a_formula(tmp_path):
    frame = to_frame([{**row, "picture": "=HYPERLINK(1)"} for row in finished(study())])
    write_frame(frame, tmp_path / "table.csv")
    assert not [line for line in (tmp_path / "table.csv").read_text().splitlines() if ",=" in line or line[:1] == "="]
    assert set(read_frame(tmp_path / "table.csv")["picture"]) == {"=HYPERLINK(1)"}


def test_kinds_and_places_must_fit():
    with pytest.raises(ValueError, match="1 changed pixels have as many kinds; got 2"):
        read_changes("1,2#ff0000", "OL")
    with pytest.raises(ValueError, match=r"The picture has 6 × 6 pixels; got row 6, column 0"):
        apply_changes(picture(1), "6,0#ff0000")


words = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
AWKWARD = ("", "NA", "nan", "1", "\\N", "\\", "a,b", 'a"b', "line\nline", "\r", " x ", "=1+1", "🛑", "None", "True")


def random_rows(seed: int, texts: list[str]) -> list[dict]:
    """Rows with all columns, whose texts are these in turn."""
    random = np.random.default_rng(seed)
    return [
        {
            **{name: texts[int(random.integers(len(texts)))] for name in TEXT},
            **{name: bool(random.integers(2)) for name in FLAGS},
            **{name: int(random.integers(10**6)) for name in COUNTS},
            "seconds": float(random.random()),
            "confidence": [None, float(random.random())][int(random.integers(2))],
            "max_pixels": [None, int(random.integers(1, 500))][int(random.integers(2))],
        }
        for _ in range(3)
    ]


@given(some.integers(0, 2**32 - 1), some.lists(some.one_of(words, some.sampled_from(AWKWARD)), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_table_is_read_as_it_was_written(seed, texts):
    frame = to_frame(random_rows(seed, texts))
    with TemporaryDirectory() as folder:
        for ending in ("csv", "parquet"):
            write_frame(frame, file := Path(folder) / f"table.{ending}")
            pd.testing.assert_frame_equal(read_frame(file), frame)


def test_another_file_is_no_table(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="is no table of a study: it has no column network"):
        read_frame(tmp_path / "table.csv")
    with pytest.raises(ValueError, match=r"must end in \.csv or \.parquet"):
        write_frame(to_frame([]), tmp_path / "table.txt")
    assert to_csv(to_frame([])).startswith("network,picture")


def test_new_signs_are_found_by_their_names():
    assert find_sample("sign-19").label == new_sign(19).label == 0
    assert same_picture(find_sample("sign-19").image, new_sign(19).image)
    assert [find_new_sign(name) for name in ("sign-0", "sign-", "sign-01", "sign-١", "sign-100001", "stop-1")] == [
        None
    ] * 6
    with pytest.raises(ValueError, match="numbered from 1 to 100,000; got 0"):
        new_sign(0)
