"""Advice is true: what is recommended has done better on this very picture, and the sliders do what they say.

`python -m tests.test_advice` tries two hundred settings; the suite tries some of them.
"""

import random
from dataclasses import replace

import pytest
import torch

from explorer import SparseAttack, load_classifier
from explorer.knobs import knobs
from explorer.pipeline import advise, bare, explore
from explorer.pipeline.response import try_settings
from explorer.samples import find_sample, gallery

QUICK = {"steps": 30, "prune": False, "polish": False}


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-resnet")


def drawn(n: int, seed: int = 0) -> list[SparseAttack]:
    """Settings all over the sliders, with those choices that go wrong most."""
    draw, known = random.Random(seed), knobs(SparseAttack)
    return [
        SparseAttack(
            **{name: known[name].slider[0] * (known[name].slider[1] / known[name].slider[0]) ** draw.random()
               for name in ("a", "lam", "tau")},
            box=draw.choice(["sign-aware", "paper"]),
            schedule=draw.choice(["annealed", "constant"]),
            eps=draw.choice([2 / 255, 10 / 255]),
            **QUICK,
        )
        for _ in range(n)
    ]  # fmt: skip


def check(clf, attacks: list[SparseAttack], found: list[int]) -> None:
    """Every piece of advice on these settings, tried once more by itself; `found` counts them."""
    pictures = gallery()
    for number, attack in enumerate(attacks):
        image = pictures[number % len(pictures)].image
        run = explore(clf, image, attack, splits=0)
        for advice in advise(clf, image, attack, run.findings):
            cured = explore(clf, image, replace(attack, **{advice.cure.knob: advice.cure.value}), splits=0)
            told = advice.told(attack)
            assert cured.succeeded, told
            assert not run.succeeded or cured.n_pixels < run.n_pixels, told
            found.append(number)


def test_every_cure_lowers_the_count_or_makes_it_fool(clf):
    found: list[int] = []
    check(clf, drawn(6), found)
    assert len(found) >= 2, "some of these settings go wrong"


def test_the_paper_preset_on_the_first_sign_is_sent_to_a_better_lambda(clf):
    attack = replace(SparseAttack.paper(), steps=60)
    image = find_sample("stop-1").image
    run = explore(clf, image, attack, splits=0)
    assert not any("dense" in finding.seen for finding in run.findings)
    for advice in advise(clf, image, attack, run.findings):
        assert advice.after.n_pixels < advice.before.n_pixels
        assert getattr(attack, advice.cure.knob) != advice.cure.value


def test_a_good_run_gets_no_advice(clf):
    run = explore(clf, find_sample("stop-1").image, bare(SparseAttack()), splits=0)
    assert run.findings == ()
    assert advise(clf, run.image, run.attack, run.findings) == []


def test_trials_that_are_stopped_give_no_advice(clf):
    attack = SparseAttack(lam=10.0, **QUICK)
    run = explore(clf, find_sample("stop-1").image, attack, splits=0)
    assert run.findings
    assert advise(clf, run.image, attack, run.findings, on_step=lambda _step: True) is None


MOVES = {  # from, to, and what the sentence below the slider says of the count
    "lam": (0.1, 1.0, "fewer"),
    "a": (0.03, 0.15, "fewer"),
    "tau": (0.05, 0.15, "more"),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_slider_does_what_the_sentence_below_it_says(clf, name):
    low, high, says = MOVES[name]
    assert says in knobs(SparseAttack)[name].brief
    base, as_told = SparseAttack(prune=False, polish=False), 0
    for sample in gallery()[:30:3]:
        settings = [replace(base, **{name: value}) for value in (low, high)]
        before, after = try_settings(clf, sample.image, settings)
        as_told += (after.n_pixels < before.n_pixels) == (says == "fewer")
    assert as_told >= 8


if __name__ == "__main__":
    torch.set_num_threads(1)
    given: list[int] = []
    check(load_classifier("signs-resnet"), drawn(200), given)
    print(f"{len(given)} pieces of advice on {len({*given})} of 200 settings, all true")
