"""Several people's explorations in one batch: each is the lone run's, and stops on its own."""

import threading
from dataclasses import replace

import pytest
import torch

from explorer import SparseAttack, load_classifier
from explorer.attacks import ATTACKS
from explorer.pipeline import Asked, Member, explore, explore_together, kind_of
from explorer.pipeline.exploration import Clock
from explorer.regions import Region
from explorer.samples import find_sample

QUICK = {"steps": 25, "swaps": 2, "kicks": 0}


@pytest.fixture(scope="module")
def clf():
    return load_classifier("signs-cnn", device="cpu")


def asked(name: str, **settings) -> Asked:
    return Asked(find_sample(name).image, SparseAttack(**{**QUICK, **settings}))


def alone(clf, each: Asked):
    return explore(clf, **vars(each), splits=0)


def kinds(exploration) -> list[str]:
    return [pixel.kind for pixel in exploration.evidence.pixels] if exploration.evidence else []


def test_each_member_gets_what_the_lone_run_gives(clf):
    corner = Region.box((64, 64), 8, 8, 40, 40)
    everybody = [
        asked("stop-1"),
        asked("stop-1", a=0.2, lam=0.3, tau=0.02),
        replace(asked("yield-1"), region=corner, method="saliency"),
        replace(asked("no-entry-1", lam=2.0), stage="optimised", label=3),
    ]
    assert len({kind_of(each) for each in everybody}) == 1
    found = dict(zip(map(id, everybody), [None] * 4, strict=True))
    for member, exploration in explore_together(clf, [Member(each) for each in everybody], splits=0):
        found[id(member.asked)] = exploration
    for each in everybody:
        one, other = found[id(each)], alone(clf, each)
        assert one.same_attack(other)
        assert one.attack == each.attack
        assert one.story == other.story
        assert kinds(one) == kinds(other)
        assert torch.equal(one.result.weights, other.result.weights)
        assert torch.equal(one.result.trace.margin, other.result.trace.margin)
        assert all(torch.equal(one.result.stages[name], images) for name, images in other.result.stages.items())


def test_targets_go_together_and_not_with_any_wrong_class(clf):
    targeted = [replace(asked("stop-1"), target=target) for target in (3, 5)]
    assert kind_of(targeted[0]) == kind_of(targeted[1]) != kind_of(asked("stop-1"))
    found = [each for _, each in explore_together(clf, [Member(each) for each in targeted], splits=0)]
    assert all(one.same_attack(alone(clf, each)) for one, each in zip(found, targeted, strict=True))


def test_what_may_not_differ_from_picture_to_picture_keeps_runs_apart():
    assert kind_of(asked("stop-1")) != kind_of(asked("stop-1", steps=26))
    attacks = [Asked(find_sample("stop-1").image, attack()) for attack in ATTACKS.values()]
    assert len({kind_of(each) for each in attacks}) == len(attacks)


def test_bad_input_is_its_own_sentence_and_the_others_go_on(clf):
    seen = alone(clf, asked("stop-1")).label
    good, bad = replace(asked("stop-1"), target=3), replace(asked("stop-1"), target=seen)
    found = {id(member.asked): each for member, each in explore_together(clf, [Member(bad), Member(good)], splits=0)}
    assert "choose another target" in str(found[id(bad)])
    assert found[id(good)].same_attack(alone(clf, good))


def test_one_stops_with_the_best_until_then_and_the_other_runs_to_the_end(clf):
    early = []

    def stop(step, index, so_far):
        if not early and step.done == 15:
            early.append(so_far())

    stopping = Member(asked("stop-1"), lambda: not early, stop)
    going = Member(asked("yield-1"))
    ((member, found),) = explore_together(clf, [stopping, going], splits=0)
    assert member is going
    assert found.same_attack(alone(clf, going.asked))
    assert torch.equal(found.result.weights, alone(clf, going.asked).result.weights)
    (best,) = early
    assert best.result.stopped
    assert len(best.result.trace.margin) == 15
    assert best.succeeded == (best.adversarial_label != best.label)


def test_who_leaves_hears_once_more_and_so_can_have_the_best_until_then(clf):
    heard = []
    leaving = Member(asked("stop-1"), lambda: 5 not in heard, lambda step, *_: heard.append(step.done))
    assert [*explore_together(clf, [leaving], splits=0)] == []
    assert heard == [1, 2, 3, 4, 5, 6]


def test_nobody_waits_so_nothing_is_done(clf):
    steps = []
    members = [Member(asked("stop-1"), lambda: False, lambda step, *_: steps.append(step)) for _ in range(2)]
    assert [*explore_together(clf, members, splits=0)] == []
    assert [step.done for step in steps] == [1, 1]


def test_seconds_are_those_of_computing_and_not_of_waiting():
    clock = Clock(torch.device("cpu"))
    threading.Event().wait(0.3)
    assert clock.seconds < 0.2
    before = clock.seconds
    torch.rand(300, 300) @ torch.rand(300, 300)
    assert clock.seconds > before
