"""One attack on a batch, in as few parts as fit the memory. Every image is attacked on its own, so nothing changes."""

import dataclasses
from typing import Protocol

import torch
from torch import Tensor

from explorer.memory import shrinking
from explorer.types import STAGES, AttackResult, Images, Labels, Network, OnStep, Step, Trace


class Attack(Protocol):
    """A frozen dataclass of knobs."""

    def run(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        targets: Labels | None,
        on_step: OnStep | None,
        **options: bool,
    ) -> AttackResult:
        """Attack all images at once."""


def run_in_parts(
    attack: Attack,
    network: Network,
    images: Images,
    labels: Labels,
    targets: Labels | None,
    on_step: OnStep | None,
    **options: bool,
) -> AttackResult:
    """attack.run() on all images at once, or on parts of them, each with its share of the knobs that differ per image.

    Steps are counted as if it were one run, but tell of the images of their part only. Raises memory.TooLarge if not
    even one image fits.
    """
    n = len(images)

    def part(first: int, last: int) -> AttackResult:
        knobs = {field.name: getattr(attack, field.name) for field in dataclasses.fields(attack)}
        own = {name: knob[first:last] for name, knob in knobs.items() if torch.is_tensor(knob) and knob.ndim}
        return dataclasses.replace(attack, **own).run(
            network,
            images[first:last],
            labels[first:last],
            None if targets is None else targets[first:last],
            on_step and (on_step if last - first == n else _counted(on_step, first / n, last / n)),
            **options,
        )

    return _joined(shrinking(lambda size: [part(first, min(n, first + size)) for first in range(0, n, size)], n))


def _counted(on_step: OnStep, begin: float, end: float) -> OnStep:
    """Hears of a part that is this share of the whole."""

    def told(step: Step) -> bool | None:
        done = begin * step.total + (end - begin) * step.done
        return on_step(dataclasses.replace(step, done=int(done)))

    return told


def _joined(parts: list[AttackResult]) -> AttackResult:
    if len(parts) == 1:
        return parts[0]

    def all_of(name: str) -> Tensor | None:
        values = [getattr(part, name) for part in parts]
        return None if any(value is None for value in values) else torch.cat(values)

    steps = max(len(part.trace.margin) for part in parts)
    names = [name for name in STAGES if any(name in part.stages for part in parts)]
    return AttackResult(
        **{name: all_of(name) for name in ("images", "labels", "targets", "adversarial", "adversarial_labels")},
        succeeded=all_of("succeeded"),
        stages={name: torch.cat([part.stages.get(name, part.adversarial) for part in parts]) for name in names},
        trace=Trace(
            *(
                torch.cat([_longer(getattr(part.trace, field.name), steps) for part in parts], dim=1)
                for field in dataclasses.fields(Trace)
            )
        ),
        stopped=any(part.stopped for part in parts),
        weights=all_of("weights"),
    )


def _longer(values: Tensor, steps: int) -> Tensor:
    """A part that was stopped early stays as it was."""
    return torch.cat([values, values[-1:].expand(steps - len(values), -1)])
