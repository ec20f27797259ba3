"""Work on one network: one at a time, but who only looks waits for nobody."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from explorer import load_classifier
from explorer.classifiers import list_classifiers
from explorer.locks import exclusive, own_twin, read_only_twin

SOON = 10  # seconds


@pytest.mark.parametrize("name", [card.name for card in list_classifiers() if card.source == "bundled"])
def test_a_read_only_twin_sees_the_same_with_the_same_weights(name):
    network = load_classifier(name, device="cpu")
    images = torch.rand(2, 3, *network.input_size, generator=torch.Generator().manual_seed(0))
    twin = read_only_twin(network)
    assert torch.equal(twin(images), network(images))
    assert read_only_twin(network) is twin
    mine, own = ([*each.parameters(), *each.buffers()] for each in (twin, network))
    assert all(a is b for a, b in zip(mine, own, strict=True))
    assert not {*twin.modules()} & {*network.modules()}


def test_a_read_only_twin_is_neither_hooked_nor_in_training():
    network = load_classifier("signs-cnn", device="cpu").train()
    twin = read_only_twin(network)
    assert not any(module.training for module in twin.modules())
    for module in network.modules():
        module.register_forward_hook(lambda *_: pytest.fail("hooked"))
    twin(torch.zeros(1, 3, 64, 64))


def test_a_read_only_twin_does_not_wait_for_the_lock():
    network, seen = load_classifier("signs-cnn", device="cpu"), []
    read_only_twin(network)
    looking = threading.Thread(
        target=lambda: seen.append(read_only_twin(network)(torch.zeros(1, 3, 64, 64))), daemon=True
    )
    with exclusive(network):
        looking.start()
        looking.join(SOON)
        assert seen


def test_a_twin_of_ones_own_does_not_wait_for_the_lock():
    network, made = load_classifier("signs-cnn", device="cpu"), []
    read_only_twin(network)
    working = threading.Thread(target=lambda: made.append(own_twin(network)), daemon=True)
    with exclusive(network):
        working.start()
        working.join(SOON)
        assert made


def test_a_read_only_twin_follows_the_network_that_is_moved():
    network = load_classifier("signs-cnn", device="cpu")
    before = read_only_twin(network)
    network.to(torch.float64)
    after = read_only_twin(network)
    assert after is not before
    images = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    assert torch.equal(after(images), network(images))


def test_every_thread_has_a_twin_of_its_own_to_work_with():
    network = load_classifier("signs-cnn", device="cpu")
    mine = own_twin(network)
    assert own_twin(network) is mine
    assert mine is not read_only_twin(network)
    with ThreadPoolExecutor(1) as other:
        with exclusive(mine):
            assert other.submit(lambda: exclusive(own_twin(network)).acquire(timeout=SOON)).result()
        assert other.submit(own_twin, network).result() is not mine
    assert mine.network.features[0].weight is network.network.features[0].weight
