"""How the count of changed pixels answers to each knob that may differ per image: one batch of settings around one."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import nn

from explorer.attacks import Attack
from explorer.classifiers.python import device_of
from explorer.exact import exact_arithmetic
from explorer.knobs import knobs
from explorer.locks import exclusive
from explorer.regions import Region
from explorer.types import AttackResult, Image, OnStep

STOPS = {  # of the sparse attack's knobs; the setting's own value comes between them
    "a": (0.01, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0),
    "lam": (0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0),
    "tau": (0.005, 0.01, 0.02, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5),
}


@dataclass(frozen=True)
class Point:
    """What one value of a knob does, at the optimised stage."""

    value: float
    n_pixels: int
    fooled: bool
    confidence: float  # probability of the class that the network then sees


Response = dict[str, tuple[Point, ...]]  # by knob, in rising order of its values


def bare(attack: Attack) -> Attack:
    """The same without the stages that come after the attack's own, where its knobs do not act."""
    return dataclasses.replace(attack, prune=False, polish=False, random_queries=0)


def answering(attack: Attack) -> tuple[str, ...]:
    """The knobs of this attack whose response can be asked for."""
    return tuple(name for name in attack.per_image if name in STOPS)


def along(attack: Attack, knob: str) -> Attack:
    """What all settings along one knob have in common: the knob stands at its default."""
    return dataclasses.replace(bare(attack), **{knob: knobs(attack)[knob].default})


def stops(attack: Attack, knob: str) -> tuple[float, ...]:
    """The values of `knob` that are tried around `attack`."""
    return tuple(sorted({*STOPS[knob], float(getattr(attack, knob))}))


def respond(
    network: nn.Module,
    image: Image,
    attack: Attack,
    names: tuple[str, ...] | None = None,
    *,
    target: int | None = None,
    region: Region | None = None,
    on_step: OnStep | None = None,
) -> Response | None:
    """The response around `attack` on one picture, of the knobs `names` or of all that answer: one batch, in which each
    setting is what it is alone. None if `on_step` asked to stop.
    """
    names = answering(attack) if names is None else names
    settings = [bare(attack)]
    places = {name: [] for name in names}
    for name in names:
        for value in stops(attack, name):
            if value == getattr(attack, name):
                places[name].append(0)
                continue
            places[name].append(len(settings))
            settings.append(dataclasses.replace(settings[0], **{name: value}))
    points = try_settings(network, image, settings, target=target, region=region, on_step=on_step)
    if points is None:
        return None
    return {
        name: tuple(dataclasses.replace(points[at], value=float(getattr(settings[at], name))) for at in places[name])
        for name in names
    }


def try_settings(
    network: nn.Module,
    image: Image,
    settings: list[Attack],
    *,
    target: int | None = None,
    region: Region | None = None,
    on_step: OnStep | None = None,
) -> list[Point] | None:
    """What settings that differ in their knobs per image alone do to one picture, as one batch; `value` is 0. None if
    `on_step` asked to stop.
    """
    images = image[None].to(device_of(network)).expand(len(settings), -1, -1, -1).contiguous()
    with exclusive(network), exact_arithmetic(images.device), torch.no_grad():
        label = network(images[:1].clone()).argmax(1)
    own = {
        name: torch.tensor([getattr(each, name) for each in settings], dtype=torch.float64)
        for name in settings[0].per_image
    }
    labels = label.expand(len(settings)).contiguous()
    targets = None if target is None else torch.full_like(labels, target)
    mask = None if region is None else region.mask
    attack = dataclasses.replace(settings[0], **own)
    result = attack(network, images, labels, targets, on_step=on_step, region=mask)
    return None if result.stopped else _points(network, result)


def _points(network: nn.Module, result: AttackResult) -> list[Point]:
    with exclusive(network), exact_arithmetic(result.adversarial.device), torch.no_grad():
        confidence = network(result.adversarial.clone()).softmax(1).amax(1)
    columns = result.n_pixels.tolist(), result.succeeded.tolist(), confidence.tolist()
    return [Point(0.0, int(n), bool(fooled), float(sure)) for n, fooled, sure in zip(*columns, strict=True)]
