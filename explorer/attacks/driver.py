"""The driver: all that every attack shares, around the start and the step that its file holds.

In this order: the network is put into evaluation mode, frozen, and asked whether it keeps the contract; input is
validated; the batch is cut into parts that the device has room for; of each part the attack's own steps run, then
pruning, polishing and the random search, as asked; and every image is judged once more, all together, as the caller
will judge it: where a later stage's image no longer fools and an earlier one's does, the earlier one is kept.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from explorer.adapter import adapted, as_it_takes
from explorer.attacks.anew import Anew
from explorer.attacks.books import Books, Progress
from explorer.attacks.growing import Growing
from explorer.attacks.loop import run_stage
from explorer.attacks.moves import MANY
from explorer.attacks.problem import Problem
from explorer.attacks.pruning import Pruning
from explorer.attacks.random_swaps import RandomSwaps
from explorer.attacks.stage import Stage
from explorer.attacks.validation import box, validated_classes, validated_images
from explorer.exact import exact_arithmetic
from explorer.frozen import frozen
from explorer.kernels import kept_in_order
from explorer.locks import exclusive
from explorer.memory import Room, as_one_sentence, is_shortage, room_for, saved_for_backward, shrinking
from explorer.recording import recorded
from explorer.types import STAGES, AttackResult, Gradient, Images, Labels, Network, OnStep, Step, Trace

WIDTHS = (8, 16, 32, 64, MANY)  # of their tables of changed units


@dataclass(frozen=True)
class _Found:
    """What the stages found, not yet judged."""

    stages: dict[str, Images]
    trace: Trace
    weights: Tensor | None
    stopped: bool


Judge = Callable[[_Found, Problem], AttackResult]


def run(
    attack: Stage,
    network: Network,
    images: Images,
    labels: Labels,
    targets: Labels | None,
    on_step: OnStep | None,
    *,
    region: Tensor | None,
) -> AttackResult:
    """See Attack.__call__."""
    with (
        exclusive(network),
        frozen(network) as was_training,
        kept_in_order(network),
        as_one_sentence(),
        _ordinary_tensors(),
    ):
        images = as_it_takes(network, validated_images(images))
        with exact_arithmetic(images.device):
            network, n_classes = adapted(network, images)
            labels, targets = validated_classes(labels, targets, images, n_classes)
            low, high = box(images, region, attack.max_change)
            gradient, room = _probed(attack, network, images)
            problem = Problem(
                recorded(network, images), images, labels, targets, low, high,
                unit=attack.unit, max_units=attack.max_pixels, forward_size=room.at_once,
                gradients=gradient != "unused", kappa=attack.kappa,
            )  # fmt: skip
            free = int(problem.free.sum(1).min())
            if free < attack.needs_units:
                raise ValueError(f"region must hold at least {attack.needs_units} {attack.unit}s; got {free}.")
            judge = partial(_judged, network=network, room=room, gradient=gradient, was_training=was_training)
            return judge(_in_parts(attack, problem, on_step, room, judge), problem)


@contextmanager
def _ordinary_tensors() -> Iterator[None]:
    """Whatever mode the caller is in, gradients are computed where an attack asks for them, and only there."""
    with torch.inference_mode(False), torch.no_grad():
        yield


def _probed(attack: Stage, network: Network, images: Images) -> tuple[Gradient, Room]:
    """What the gradient of the first image looks like, and how many such images there is room for. Raises ValueError
    where the attack needs a gradient and there is none.
    """
    if attack.black_box and not attack.polish:
        return "unused", room_for(images, 0)
    image = images[:1].clone().requires_grad_()
    try:
        with torch.enable_grad(), saved_for_backward(network) as kept:
            logits = network(image)
            lead = logits.amax(1) - logits.mean(1)
            (gradient,) = torch.autograd.grad(lead.sum(), image)
    except (RuntimeError, ValueError) as error:
        if is_shortage(error):
            raise
        reason = str(error).splitlines()[0].rstrip(".") + "."
        raise ValueError(
            "the network must give gradients of its logits by the picture; torch says: "
            f"{reason} The random search ({RANDOM!r}) needs none."
        ) from error
    room = room_for(images, kept.n_bytes)
    if not torch.isfinite(gradient).all():
        return "not finite", room
    return ("finite" if gradient.any() else "zero"), room


RANDOM = "random"  # the attack that needs no gradients, in ATTACKS


def _in_parts(attack: Stage, problem: Problem, on_step: OnStep | None, room: Room, judge: Judge) -> _Found:
    """The stages on all images at once, or on parts of them: every image is attacked on its own, so nothing changes.

    Steps are counted as if it were one run, but tell of the images of their part only.
    """
    n, stopped = len(problem.images), False

    def remembered(step: Step) -> object:
        nonlocal stopped
        if not stopped:  # one Stop ends all parts, and nobody is asked twice
            answer = on_step(step)
            stopped = not torch.is_tensor(answer) and bool(answer)
            return answer
        return stopped

    def part(first: int, last: int) -> _Found:
        index = torch.arange(first, last, device=problem.images.device)
        knobs = {name: getattr(attack, name) for name in attack.per_image}
        own = {name: knob[first:last] for name, knob in knobs.items() if torch.is_tensor(knob) and len(knob.shape)}
        told = on_step and (on_step if last - first == n else _counted(remembered, first / n, last / n))
        return _stages(replace(attack, **own), problem if last - first == n else problem.of(index), told, judge)

    def parts(size: int) -> list[_Found]:
        even = math.ceil(n / math.ceil(n / size))
        return [part(first, min(n, first + even)) for first in range(0, n, even)]

    for name in attack.per_image:
        knob = getattr(attack, name)
        if torch.is_tensor(knob) and knob.ndim and knob.shape != (n,):
            raise ValueError(f"{name} must be a number or a tensor of shape ({n},); got {tuple(knob.shape)}.")
    return _joined(shrinking(parts, min(n, room.at_once)))


def _stages(attack: Stage, problem: Problem, on_step: OnStep | None, judge: Judge) -> _Found:
    """All stages, one after another."""
    stages: dict[str, Images] = {}

    def so_far(stage: str) -> AttackResult:
        found = _Found({**stages, stage: books.best.clone()}, books.trace(progress.done), None, stopped=True)
        return judge(found, problem)

    later = [
        *[Pruning()] * attack.prune,
        *[Anew((start, Pruning(), *attack.polishing)) for start in attack.second_starts if attack.polish],
        *attack.polishing * attack.polish,
        *[RandomSwaps(attack.random_queries, attack.seed)] * bool(attack.random_queries),
    ]
    books = Books(problem, attack.rounds)
    books.note(problem, {"candidate": problem.images, "margin": problem.margin(problem.images)}, None, None)
    progress = Progress(problem, books, sum(stage.expected for stage in (attack, *later)), on_step, so_far)
    state = run_stage(attack, replace(problem, peeks=not problem.images.is_cuda), books, progress, first=True)
    stages[attack.name], trace = books.best.clone(), books.trace(progress.done)
    for stage in later:
        if progress.stopped:
            break
        _refine(stage, problem, books, progress)
        stages[stage.name] = books.best.clone()
    return _Found(stages, trace, state.get("weights"), progress.stopped)


def _refine(stage: Stage | Anew, problem: Problem, books: Books, progress: Progress) -> None:
    """One of the stages after the attack's own."""
    if isinstance(stage, Anew):
        others = Books(problem, books.rows)  # of the same shape, so that what was captured is used again
        others.best.copy_(books.best)
        *start, polishing = stage.stages
        for each in start:
            if not progress.stopped:
                _refine(each, problem, others, progress)
        others.forget(books.fools & stage.hopeless(others.units, books.units), problem.images)
        if not progress.stopped:
            _refine(polishing, problem, others, progress)
        margin = books.margin.clone()  # that of a step, which this is not
        books.note(problem, {"candidate": others.best, "margin": others.least}, None, None)
        books.margin.copy_(margin)
        return
    width = next((width for width in WIDTHS if width >= problem.changed(books.best).sum(1).max()), 0)
    if isinstance(stage, Growing) and width and books.fools.all():
        return  # no image needs it
    captures = problem.images.is_cuda and stage.capturable and width
    refined = replace(problem, peeks=not captures, width=width)
    run_stage(stage, refined, books, progress, first=False)


def _judged(
    found: _Found, problem: Problem, network: Network, room: Room, gradient: Gradient, was_training: bool
) -> AttackResult:
    """The last word on every image."""
    labels, targets = problem.labels, problem.targets
    stages, best, fools, logits = {}, None, None, None
    for name, images in found.stages.items():
        seen = shrinking(lambda size, of=images: torch.cat([network(some) for some in of.split(size)]), room.in_all)
        fooled = problem.margins_of(seen) < 0
        if problem.max_units is not None:
            fooled &= problem.changed(images).sum(1) <= problem.max_units
        if best is not None:
            lost = fools & ~fooled
            images = torch.where(lost[:, None, None, None], best, images)
            fooled, seen = fooled | lost, torch.where(lost[:, None], logits, seen)
        stages[name], best, fools, logits = images, images, fooled, seen
    return AttackResult(
        images=problem.images,
        labels=labels,
        targets=targets,
        adversarial=best,
        adversarial_labels=logits.argmax(1),
        succeeded=fools,
        stages=stages,
        trace=found.trace,
        stopped=found.stopped,
        weights=found.weights,
        gradient=gradient,
        was_training=was_training,
    )


def _counted(on_step: OnStep, begin: float, end: float) -> OnStep:
    """Hears of a part that is this share of the whole."""

    def told(step: Step) -> object:
        done = begin * step.total + (end - begin) * step.done
        return on_step(dataclasses.replace(step, done=int(done)))

    return told


def _joined(parts: list[_Found]) -> _Found:
    if len(parts) == 1:
        return parts[0]
    steps = max(len(part.trace.margin) for part in parts)
    names = [name for name in STAGES if any(name in part.stages for part in parts)]
    return _Found(
        stages={name: torch.cat([part.stages.get(name, _last(part)) for part in parts]) for name in names},
        trace=Trace(
            *(
                torch.cat([_longer(getattr(part.trace, field.name), steps) for part in parts], dim=1)
                for field in dataclasses.fields(Trace)
            )
        ),
        weights=None if parts[0].weights is None else torch.cat([part.weights for part in parts]),
        stopped=any(part.stopped for part in parts),
    )


def _last(part: _Found) -> Images:
    return next(reversed(part.stages.values()))


def _longer(values: Tensor, steps: int) -> Tensor:
    """A part that ended early stays as it was."""
    return torch.cat([values, values[-1:].expand(steps - len(values), -1)])
