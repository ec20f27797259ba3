"""Several explorations of one network in one batch: what is asked of each stays its own.

Attacks of one class whose settings differ only where they may differ from picture to picture (see Attack.per_image)
run together, with other pictures, targets and regions. Each result is the lone run's: see Attack.__call__.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from explorer.attacks.capture import structure_of
from explorer.classifiers import Classifier
from explorer.pipeline.exploration import Asked, Clean, Clock, Exploration, explained, prepared
from explorer.types import AttackResult, Step


@dataclass
class Member:
    """One of those that are explored together."""

    asked: Asked
    wanted: Callable[[], bool] = lambda: True  # whether anybody waits for it; where nobody does, its attack stops
    on_step: Callable[[Step, int, Callable[[], Exploration]], object] = lambda step, index, so_far: None
    """Hears of each step, where in the step this member is, and how to get the best until then."""


def kind_of(asked: Asked) -> Hashable:
    """Equal where two can be explored together, of one network."""
    return structure_of(asked.attack), tuple(asked.image.shape), asked.target is None


def explore_together(
    clf: Classifier, members: Sequence[Member], splits: int
) -> Iterator[tuple[Member, Exploration | ValueError]]:
    """The exploration of each member, one after another once their attack is done, or the sentence that says why there
    is none. Members for whom nobody waits any more are left out.
    """
    clock, able = Clock(clf.device), []
    for member in members:
        try:
            able.append((member, prepared(clf, member.asked)))
        except ValueError as error:
            yield member, error
    if not able:
        return
    result = _attacked(clf, able, clock)
    seconds = clock.seconds / len(able)
    for index, (member, clean) in enumerate(able):
        if member.wanted():
            yield member, explained(clf, member.asked, clean, result.of(index), seconds, splits)


def _attacked(clf: Classifier, able: Sequence[tuple[Member, Clean]], clock: Clock) -> AttackResult:
    """One attack on all of their pictures."""
    asked = [member.asked for member, _ in able]
    n, first = len(asked), asked[0].attack
    images = torch.stack([clean.image for _, clean in able])
    labels = torch.tensor([clean.label for _, clean in able], device=clf.device)
    targets = None if asked[0].target is None else torch.tensor([each.target for each in asked], device=clf.device)
    region = None
    if any(each.region for each in asked):
        everywhere = torch.ones(images.shape[2:], dtype=torch.bool)
        region = torch.stack([everywhere if each.region is None else each.region.mask for each in asked])
    knobs = {name: torch.tensor([float(getattr(each.attack, name)) for each in asked]) for name in first.per_image}

    def on_step(step: Step) -> torch.Tensor | bool:
        whole = len(step.n_pixels) == n  # else memory is short, and it tells of some of the pictures only
        left = torch.tensor([not member.wanted() for member, _ in able])  # before they hear: who leaves has the best
        for index, (member, clean) in enumerate(able):

            def so_far(member: Member = member, clean: Clean = clean, index: int = index) -> Exploration:
                result = step.so_far().of(index)
                return explained(clf, member.asked, clean, result, clock.seconds / n, splits=0)

            member.on_step(step, index if whole else 0, so_far if whole else lambda: None)
        return left if whole else bool(left.all())

    attack = replace(first, **knobs) if n > 1 else first
    return attack(clf, images, labels, targets=targets, on_step=on_step, region=region)
