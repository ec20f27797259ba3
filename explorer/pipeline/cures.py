"""Advice that was tried: a setting is only recommended after it has done better on this very picture."""

import dataclasses
from collections.abc import Iterable, Sequence

from torch import nn

from explorer.attacks import Attack
from explorer.knobs import knobs
from explorer.pipeline.findings import Cure, Finding
from explorer.pipeline.response import Point, bare, try_settings
from explorer.regions import Region
from explorer.types import Image, OnStep

BETTER = 0.9  # of the pixels before, at most, that a cure leaves at the optimised stage


@dataclasses.dataclass(frozen=True)
class Advice:
    """A finding with the cure that helped most, and what it did at the optimised stage."""

    finding: Finding
    cure: Cure
    before: Point
    after: Point

    def told(self, attack: Attack) -> str:
        """What the cure does, in one sentence."""
        name = symbol(attack, self.cure.knob)
        value = f"{self.cure.value:g}" if isinstance(self.cure.value, int | float) else self.cure.value
        if self.before.fooled:
            return f"{name} = {value} leaves {self.after.n_pixels:,} pixels instead of {self.before.n_pixels:,}."
        return f"{name} = {value} fools the network, with {self.after.n_pixels:,} pixels."


def symbol(attack: Attack, knob: str) -> str:
    """What a knob is called in a sentence."""
    return knobs(attack)[knob].label.partition(" · ")[0]


def trials(findings: Iterable[Finding]) -> int:
    """How many runs it takes to try what these findings suggest."""
    cures = {cure for finding in findings for cure in finding.cures}
    return len(cures) + bool(cures)


def advise(
    network: nn.Module,
    image: Image,
    attack: Attack,
    findings: Sequence[Finding],
    *,
    target: int | None = None,
    region: Region | None = None,
    on_step: OnStep | None = None,
) -> list[Advice] | None:
    """Try every cure of these findings on the optimised stage, and keep of each finding the one that helps most: that
    fools where the run did not, or leaves clearly fewer pixels. Findings that none helps are left out, and a cure is
    named once. None if `on_step` asked to stop.
    """
    cures = [*dict.fromkeys(cure for finding in findings for cure in finding.cures)]
    if not cures:
        return []
    settings = [bare(attack), *(bare(dataclasses.replace(attack, **{cure.knob: cure.value})) for cure in cures)]
    points: dict[int, Point] = {}
    for numbers in _alike(settings):
        some = try_settings(
            network, image, [settings[i] for i in numbers], target=target, region=region, on_step=on_step
        )
        if some is None:
            return None
        points |= dict(zip(numbers, some, strict=True))
    before, after = points[0], {cure: points[1 + i] for i, cure in enumerate(cures)}
    given: list[Advice] = []
    for finding in findings:
        helping = [cure for cure in finding.cures if _helps(before, after[cure])]
        best = min(helping, key=lambda cure: after[cure].n_pixels, default=None)
        if best is not None and best not in [each.cure for each in given]:
            given.append(Advice(finding, best, before, after[best]))
    return given


def _helps(before: Point, after: Point) -> bool:
    return after.fooled and (not before.fooled or after.n_pixels <= BETTER * before.n_pixels)


def _alike(settings: Sequence[Attack]) -> list[list[int]]:
    """The settings, by their numbers, in batches: in one batch they differ in the knobs alone that may do so."""
    batches: dict[str, list[int]] = {}
    for number, each in enumerate(settings):
        same = dataclasses.replace(each, **{name: knobs(each)[name].default for name in each.per_image})
        batches.setdefault(repr(same), []).append(number)
    return [*batches.values()]
