"""What the Tune page can try settings on."""

import os
import shutil
from types import SimpleNamespace

import pytest
from app_page import cifar10_card, forget_classifiers, write_cifar10

from explorer.classifiers import CLASSIFIERS
from explorer.samples import cifar10, gallery
from explorer.ui import subjects
from explorer.ui.subjects import labelled_pictures, tunable_networks

SIGNS = [name for name, card in CLASSIFIERS.items() if card.dataset == "signs"]


@pytest.fixture(autouse=True)
def _cifar10(monkeypatch, tmp_path):
    """A folder that may hold CIFAR-10, and a network for it."""
    monkeypatch.setenv(cifar10.VARIABLE, str(tmp_path))
    monkeypatch.setitem(CLASSIFIERS, "cifar-test", cifar10_card())
    yield
    forget_classifiers()


def test_without_cifar10_there_are_the_networks_for_signs():
    assert tunable_networks() == SIGNS
    pictures = labelled_pictures(SIGNS[:2])
    assert {sample.name for sample in pictures} == {sample.name for sample in gallery()}
    assert all(sample.name.endswith("-1") for sample in pictures[:18])


def test_with_cifar10_its_networks_are_tuned_on_what_they_know(tmp_path):
    write_cifar10(tmp_path)
    assert "cifar-test" in tunable_networks()
    assert not any(CLASSIFIERS[name].source == "torchvision" for name in tunable_networks())
    pictures = labelled_pictures(["cifar-test"])
    assert {sample.dataset for sample in pictures} == {"cifar10"}
    assert len({sample.label for sample in pictures[:10]}) == 10
    assert {sample.name for sample in pictures} == {f"cifar10-{number}" for number in range(70)}


def test_pictures_that_a_network_mistakes_are_left_out(tmp_path):
    write_cifar10(tmp_path)
    for number in range(7):
        (tmp_path / "truck" / f"{number}.png").rename(tmp_path / "airplane" / f"of-a-truck-{number}.png")
    cifar10._folders.cache_clear()
    subjects._recognised.cache_clear()
    pictures = labelled_pictures(["cifar-test"])
    assert len(pictures) == 63
    assert not any(sample.image.mean() > 0.8 for sample in pictures)


def test_networks_of_two_worlds_share_no_pictures():
    with pytest.raises(ValueError, match="road signs, or networks for CIFAR-10"):
        labelled_pictures(["signs-resnet", "cifar-test"])


def test_pictures_in_a_visitors_own_size_are_kept_in_the_visit_alone(monkeypatch):
    class State(dict):
        __setattr__ = dict.__setitem__

    monkeypatch.setattr(subjects, "st", SimpleNamespace(session_state=(visit := State())))
    every = subjects.pictures_of("signs")
    kept = subjects._recognised.cache_info().currsize
    for side in range(100, 140):
        (sample,) = subjects.fitted(every[:1], (side, side))
        assert sample.image.shape == (3, side, side)
    assert subjects._recognised.cache_info().currsize == kept
    assert len(visit) == 1
    assert subjects.fitted(every[:1], (139, 139))[0] is sample


def test_pictures_that_were_replaced_are_read_anew(tmp_path):
    write_cifar10(tmp_path)
    before = subjects.pictures_of("cifar10")
    gone = next(path for path in sorted(tmp_path.rglob("*")) if path.is_dir() and path.name.casefold() == "airplane")
    shutil.rmtree(gone)
    os.utime(gone.parent, (1, 1))  # at another time, however coarse the system's clock
    after = subjects.pictures_of("cifar10")
    assert 0 in {sample.label for sample in before}
    assert 0 not in {sample.label for sample in after}
