"""Uploaded networks: bounded over all visitors, and copied to another device rather than moved while they work."""

import gc

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier
from explorer.ui.uploads import Uploads


def network() -> Classifier:
    layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    about = {"class_names": ["a", "b"], "input_size": (2, 2), "dataset": "custom", "mean": [0.5] * 3, "std": [1.0] * 3}
    return Classifier(layers, name="mine", **about)


N_BYTES = 4 * (12 * 2 + 2 + 3 + 3)


def test_no_more_networks_are_kept_than_the_limit_says_and_a_visit_that_ends_makes_room():
    uploads = Uploads(most=2, most_bytes=10**9)
    held = [uploads.admit(network, 1), uploads.admit(network, 1)]
    with pytest.raises(ValueError, match=r"^Visitors have uploaded 2 networks .* please try again when one .* left\.$"):
        uploads.admit(lambda: pytest.fail("it was read"), 1)
    held.append(uploads.admit(network, 1, before=held[0]))  # one's own is replaced
    del held[:]
    gc.collect()
    assert uploads.admit(network, 1)


def test_their_bytes_are_counted_over_all_visitors():
    uploads = Uploads(most=9, most_bytes=2 * N_BYTES)
    held = uploads.admit(network, N_BYTES)
    with pytest.raises(ValueError, match="networks of 0 MB together"):
        uploads.admit(network, N_BYTES + 1)
    assert uploads.admit(network, N_BYTES) is not held


def test_a_network_that_does_not_load_takes_no_room():
    def broken() -> Classifier:
        raise ValueError("it does not fit")

    uploads = Uploads(most=1, most_bytes=10**9)
    with pytest.raises(ValueError, match="it does not fit"):
        uploads.admit(broken, 1)
    assert uploads.admit(network, 1)


def test_another_device_gets_a_copy_and_the_network_at_work_stays_where_it_is():
    uploads = Uploads(most=9, most_bytes=10**9)
    clf = uploads.admit(network, 1)
    assert uploads.on_device(clf, "cpu") is clf
    moved = uploads.on_device(clf, "meta")
    assert (str(moved.device), str(clf.device)) == ("meta", "cpu")
    assert not {id(module) for module in moved.modules()} & {id(module) for module in clf.modules()}
    assert torch.isfinite(clf(torch.rand(1, 3, 2, 2))).all()
