"""Memory that runs out means fewer pictures at once, with the same result, and a sentence where one is too many."""

import dataclasses
import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from explorer.attacks import SigmaZero, SparseAttack
from explorer.evidence import explain_pixels
from explorer.memory import TooLarge, as_one_sentence, give_back, shrinking

SHORTAGES = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory."),
    "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: 7 bytes"),
    "python": MemoryError(),
}


class Small(nn.Module):
    """A network on a device that holds so many pictures at once."""

    def __init__(self, network: nn.Module, room: int, error: BaseException) -> None:
        super().__init__()
        self.network, self.room, self.error = network, room, error

    def forward(self, images):
        if len(images) > self.room:
            raise self.error
        return self.network(images)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 4))
    return network.double().requires_grad_(False)


@pytest.fixture(scope="module")
def pictures(network):
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return images, network(images).argmax(1)


@pytest.mark.parametrize("shortage", SHORTAGES)
@pytest.mark.parametrize(
    "attack",
    [SparseAttack(steps=20, a=torch.linspace(0.05, 0.2, 5)), SigmaZero(steps=50)],
    ids=["sparse", "sigma-zero"],
)
def test_an_attack_in_parts_is_the_same_attack(attack, shortage, network, pictures):
    small = Small(network, 3, SHORTAGES[shortage])
    heard = []
    whole = attack(network, *pictures)
    parts = attack(small, *pictures, on_step=lambda step: heard.append((step.done, step.total)))
    assert {name: tensor.tolist() for name, tensor in parts.stages.items()} == {
        name: tensor.tolist() for name, tensor in whole.stages.items()
    }
    for name in ("images", "labels", "adversarial", "adversarial_labels", "succeeded", "n_pixels", "weights"):
        left, right = getattr(parts, name), getattr(whole, name)
        assert (left is None and right is None) or torch.equal(left, right), name
    for field in dataclasses.fields(whole.trace):
        torch.testing.assert_close(getattr(parts.trace, field.name), getattr(whole.trace, field.name))
    done = [step for step, _ in heard]
    assert done == sorted(done)
    assert done[-1] <= heard[-1][1]


def test_an_attack_in_parts_can_be_stopped(network, pictures):
    small = Small(network, 3, SHORTAGES["cuda"])
    result = SparseAttack(steps=8)(small, *pictures, on_step=lambda step: step.done >= 2)
    assert result.stopped
    assert result.adversarial.shape == pictures[0].shape
    assert result.trace.margin.shape[1] == len(pictures[0])


@pytest.mark.parametrize("shortage", SHORTAGES)
def test_where_one_picture_is_too_many_it_is_a_sentence(shortage, network, pictures):
    with pytest.raises(TooLarge, match=r"^The network is too large .* device\.$"):
        SparseAttack(steps=3)(Small(network, 0, SHORTAGES[shortage]), *pictures)


def test_evidence_takes_smaller_steps_too(network, pictures):
    images, labels = pictures[0][:1], pictures[1][:1]
    result = SparseAttack(steps=30)(network, images, labels)
    assert result.succeeded.all()
    pair = images[0], result.adversarial[0], int(labels[0])
    whole = explain_pixels(network, *pair)
    parts = explain_pixels(Small(network, 3, SHORTAGES["cuda"]), *pair)
    assert [pixel.kind for pixel in parts.pixels] == [pixel.kind for pixel in whole.pixels]
    assert [pixel.obscuring for pixel in parts.pixels] == pytest.approx([pixel.obscuring for pixel in whole.pixels])


def test_other_errors_are_left_alone():
    def work(size: int) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        shrinking(work, 4)
    with pytest.raises(KeyError), as_one_sentence():
        raise KeyError


def test_sizes_halve_until_it_fits():
    tried = []

    def work(size: int) -> str:
        tried.append(size)
        if size > 2:
            raise torch.OutOfMemoryError
        return "done"

    assert shrinking(work, 21) == "done"
    assert tried == [21, 10, 5, 2]
    with pytest.raises(TooLarge):
        shrinking(work, 21, least=3)
    assert tried[-1] == 3


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps memory in another way")
def test_what_was_freed_is_given_back():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    kept = [b"x" * 100_000 for _ in range(1000)]  # small enough to come from the heap
    last = b"x" * 100_000  # at the heap's end: what lies before it is not given back by itself
    before = resident()
    kept.clear()
    give_back()
    assert resident() < before - 50e6
    assert len(last) == 100_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps memory in another way")
def test_what_was_freed_is_used_again_and_can_be_given_back():
    script = """
import resource, torch
from explorer.memory import give_back, reuse_freed

def faults(n_bytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.zeros(n_bytes, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

each = faults(30_000_000)
reuse_freed()
once = faults(30_000_000)
held = resident()
give_back()
print(each, once, held - resident())
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    each, once, given_back = map(int, told.split())
    assert each > 10 * once, "its pages cost anew each time before, and once after"
    assert given_back > 25e6
