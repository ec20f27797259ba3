"""Does it carry over? Pictures attacked on one network, shown to others: whole, and with one kind of their pixels only.

Transfer as Szegedy et al. (arXiv 1312.6199) measured it; obscuring and leading are those of explorer.evidence.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch
from torch import Tensor, nn

from explorer.attacks import Attack
from explorer.classifiers.ensemble import Ensemble
from explorer.classifiers.python import count_classes, device_of
from explorer.evidence import DEFAULT_METHOD, METHODS, Case, Reversals, undisturbed
from explorer.evidence.attributions import problems_of
from explorer.evidence.labels import kinds
from explorer.exact import exact_arithmetic
from explorer.grid import changed_pixels
from explorer.locks import exclusive
from explorer.numerics import Share
from explorer.types import Flags, Image, Images, Labels, OnStep

Part = Literal["whole", "obscuring", "leading"]

PARTS: dict[Part, str] = {
    "whole": "the whole change",
    "obscuring": "only its obscuring pixels",
    "leading": "only its leading pixels",
}
BATCH = 5  # pictures that are attacked together: after each batch the work can be stopped


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture attacked on one network, and what every network sees in it."""

    attack: str
    source: str
    picture: int  # which one of those that were given
    label: int
    succeeded: bool  # the source is fooled by the whole change
    adversarial: Image  # on the CPU
    obscuring: Flags  # (h, w): the changed pixels that obscure
    n_pixels: Mapping[Part, int]  # changed pixels
    seen: Mapping[str, Mapping[Part, int]]  # the class that each network sees

    def shown(self, part: Part, clean: Image) -> Image:
        """The attacked picture with only this part of its change; `clean` is the picture without it."""
        return in_part(part, clean, self.adversarial, self.obscuring)


def in_part(part: Part, clean: Image, adversarial: Image, obscuring: Flags) -> Image:
    """`adversarial` (3, h, w) with the pixels of the other kind put back; `obscuring` (h, w) tells the kinds apart."""
    if part == "whole":
        return adversarial
    return torch.where(obscuring if part == "obscuring" else ~obscuring, adversarial, clean)


@dataclass(frozen=True)
class Cell:
    """How often the attacks of one network fool another, on pictures that both see correctly without the attack."""

    attack: str
    source: str
    target: str
    fooled: Mapping[Part, Share]  # of these pictures, where the whole change fools the source
    shots: tuple[Shot, ...]  # those that are counted, in order


def _alone(network: nn.Module) -> AbstractContextManager:
    """Nobody else uses it, or a network that it is made of."""
    return network.alone() if isinstance(network, Ensemble) else exclusive(network)


def without(target: str) -> str:
    """What all networks but one are called, together."""
    return f"all but {target}"


class Transfer:
    """Every attack on every network and picture, once; what it made is then shown to every network.

    `sources` are attacked and `networks` look. They are the same, but for those that are attacked `together`.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        images: Images,
        labels: Labels,
        attacks: Mapping[str, Attack],
        *,
        together: bool = False,
        batch: int = BATCH,
    ) -> None:
        """Networks by name, on images (n, 3, h, w) with their true classes (n,). `together`: for each network, all
        others are attacked at once as well, see Ensemble; it takes three networks or more. Raises ValueError with one
        sentence if that is no comparison: fewer than two networks, other classes, or pictures of another size.
        """
        self.networks, self.attacks = dict(networks), dict(attacks)
        self._check(images, labels, batch, 3 if together else 2)
        ensembles = {
            without(target): Ensemble([network for name, network in networks.items() if name != target])
            for target in self.networks
            if together
        }
        self.sources = self.networks | ensembles
        self._images, self._labels = images.cpu(), labels.cpu()
        self._right: dict[str, Flags] | None = None
        self._shots: list[Shot] = []
        order = product(range(0, len(images), batch), attacks, self.sources)
        self._left = [(attack, source, first, batch) for first, attack, source in order]
        self.total = len(self._left)

    @property
    def done(self) -> int:
        """Parts of the work, of `total`."""
        return self.total - len(self._left)

    @property
    def right(self) -> Mapping[str, Flags]:
        """Which pictures (n,) each source sees correctly. Raises ValueError if no two see any of them so."""
        if self._right is None:
            right = {name: self._seen(name, self._images) == self._labels for name in self.sources}
            names = [*self.networks]
            pairs = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
            if not any(bool((right[one] & right[other]).any()) for one, other in pairs):
                raise ValueError(
                    f"No two of {', '.join(names)} see any of these {len(self._labels)} pictures correctly."
                )
            self._right = right
        return self._right

    def advance(self, on_step: OnStep | None = None) -> bool:
        """Do the next part, a few pictures on one network; whether there is more. One that `on_step` stops is not kept:
        it is done again when this is called again.
        """
        if not self._left:
            return False
        attack, source, first, batch = self._left[0]
        chosen = self.right[source][first : first + batch].nonzero()[:, 0] + first
        if len(chosen):
            network, device = self.sources[source], device_of(self.sources[source])
            with _alone(network):
                result = self.attacks[attack](
                    network, self._images[chosen].to(device), self._labels[chosen].to(device), on_step=on_step
                )
            if result.stopped:
                return True
            self._shots += self._shown(attack, source, chosen, result.adversarial, result.succeeded.cpu())
        self._left.pop(0)
        return bool(self._left)

    def shots(self, attack: str, source: str) -> list[Shot]:
        """What was done so far with one attack on one network."""
        return [shot for shot in self._shots if (shot.attack, shot.source) == (attack, source)]

    def success(self, attack: str, source: str) -> Share:
        """How often the attack fools the network that it was made on, of the pictures that this one sees correctly."""
        shots = self.shots(attack, source)
        return Share(sum(shot.succeeded for shot in shots), len(shots))

    def mean_pixels(self, attack: str, source: str) -> float:
        """Changed pixels of the pictures that fool their own network; NaN where there is none."""
        counts = [shot.n_pixels["whole"] for shot in self.shots(attack, source) if shot.succeeded]
        return sum(counts) / len(counts) if counts else float("nan")

    def cell(self, attack: str, source: str, target: str) -> Cell:
        """What is known so far of one source and one target."""
        shots = tuple(
            shot for shot in self.shots(attack, source) if shot.succeeded and self.right[target][shot.picture]
        )
        fooled = {part: Share(sum(s.seen[target][part] != s.label for s in shots), len(shots)) for part in PARTS}
        return Cell(attack, source, target, fooled, shots)

    def left_out(self, source: str, target: str) -> bool:
        """Whether the source knows nothing of the target."""
        return source != target if source in self.networks else source == without(target)

    def cells(self, attack: str) -> list[Cell]:
        """The whole matrix, source by source."""
        return [self.cell(attack, source, target) for source in self.sources for target in self.networks]

    def _shown(self, attack: str, source: str, chosen: Tensor, adversarial: Images, succeeded: Flags) -> list[Shot]:
        """Label the changed pixels, and show the pictures, whole and in part, to every network."""
        adversarial, images, labels = adversarial.cpu(), self._images[chosen], self._labels[chosen]
        whole = [*zip(images, adversarial, strict=True)]
        obscuring = [
            self._obscuring(source, image, attacked, label)
            for (image, attacked), label in zip(whole, labels.tolist(), strict=True)
        ]
        parts: dict[Part, Images] = {
            part: torch.stack([in_part(part, *pair, mask) for pair, mask in zip(whole, obscuring, strict=True)])
            for part in PARTS
        }
        counts = {part: changed_pixels(images, some).flatten(1).sum(1).tolist() for part, some in parts.items()}
        seen = {
            name: {part: self._seen(name, pictures).tolist() for part, pictures in parts.items()}
            for name in self.networks
        }
        return [
            Shot(
                attack,
                source,
                picture,
                int(labels[i]),
                bool(succeeded[i]),
                adversarial[i],
                obscuring[i],
                {part: counts[part][i] for part in PARTS},
                {name: {part: of[i] for part, of in by_part.items()} for name, by_part in seen.items()},
            )
            for i, picture in enumerate(chosen.tolist())
        ]

    def _obscuring(self, source: str, image: Image, attacked: Image, label: int) -> Flags:
        """Which pixels (h, w) changed, and obscure more than they lead."""
        network = self.sources[source]
        mask = torch.zeros(image.shape[1:], dtype=torch.bool)
        image, attacked = image.to(device_of(network)), attacked.to(device_of(network))
        with _alone(network), undisturbed(network, image):
            case = Case.of(network, image, attacked, label)
            if case.n_pixels:
                problems = problems_of(case.network, case.image)
                valid = [name for name in (DEFAULT_METHOD, *METHODS) if problems[name] is None]
                labels = kinds(METHODS[valid[0]].shares(Reversals(case)))
                rows, cols = (each.cpu() for each in case.places)
                mask[rows, cols] = torch.tensor([kind == "obscuring" for kind in labels])
        return mask

    def _seen(self, name: str, images: Images) -> Labels:
        """The classes (n,) that a network sees, on the CPU."""
        network, device = self.sources[name], device_of(self.sources[name])
        with _alone(network), exact_arithmetic(device), torch.no_grad():
            return torch.cat([network(some.to(device, copy=True)).argmax(1).cpu() for some in images.split(100)])

    def _check(self, images: Images, labels: Labels, batch: int, fewest: int) -> None:
        if len(self.networks) < fewest:
            needed = {2: "two networks or more", 3: "three networks or more to attack some together"}[fewest]
            raise ValueError(f"Transfer needs {needed}; got {', '.join(self.networks) or 'none'}.")
        if not self.attacks:
            raise ValueError("Transfer needs one attack or more; got none.")
        if batch < 1:
            raise ValueError(f"batch must be at least 1; got {batch}.")
        if images.ndim != 4 or not len(images) or labels.shape != images.shape[:1]:
            got = f"{tuple(images.shape)} and {tuple(labels.shape)}"
            raise ValueError(f"images (n, 3, h, w) and labels (n,) are expected; got {got}.")
        first, *others = self.networks
        for name in others:
            one, other = (self._classes(each, images) for each in (first, name))
            if len(one) != len(other) or (one != other and None not in (one[0], other[0])):
                raise ValueError(
                    f"{first} and {name} must know the same classes, in the same order; they know {len(one)} and "
                    f"{len(other)}, which differ: what fools one says nothing about the other."
                )
        for name, network in self.networks.items():
            size = getattr(network, "input_size", None)
            if size is not None and tuple(size) != tuple(images.shape[2:]):
                raise ValueError(
                    f"Networks that see pictures of one size are expected; {name} sees {size[1]} × {size[0]} pixels, "
                    f"and these pictures have {images.shape[3]} × {images.shape[2]}."
                )

    def _classes(self, name: str, images: Images) -> list[str | None]:
        """The names of a network's classes, in any case; None for each of one that has no names."""
        network = self.networks[name]
        names = getattr(network, "class_names", None)
        if names is None:
            return [None] * count_classes(network, tuple(images.shape[2:]))
        return [each.casefold() for each in names]
