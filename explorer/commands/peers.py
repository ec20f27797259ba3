"""Attacks of other libraries, to compare with: adv_lib:NAME (adversarial-library) and torchattacks:NAME.

Neither library is needed, and neither comes with the project: see requirements-peers.txt.
"""

import ast
import importlib
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from explorer.types import AttackResult, Images, Labels, Network, OnStep, Trace
from explorer.user_code import described

LIBRARIES = {"adv_lib": ("adv_lib.attacks", "adv-lib"), "torchattacks": ("torchattacks", "torchattacks")}
INSTALL = "pip install --no-deps -r requirements-peers.txt"


@dataclass(frozen=True)
class Peer:
    """Another library's attack, called as ours are. What it returns is not put on the 8-bit grid: how often it still
    fools as a saved picture is the benchmark's own question.
    """

    name: str  # LIBRARY:NAME or LIBRARY:NAME:setting=value, such as adv_lib:fmn:norm=0

    per_image: ClassVar[tuple[str, ...]] = ()
    has_weights: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises ValueError with one sentence if the library is not installed or has no such attack."""
        _ = self.attack, self.settings

    @property
    def library(self) -> str:
        return self.name.partition(":")[0]

    @property
    def settings(self) -> dict[str, Any]:
        """What the attack is called with."""
        return dict(_setting(each, self.name) for each in self.name.split(":")[2:])

    @property
    def attack(self) -> Callable:
        """The library's own class or function."""
        module, package = LIBRARIES[self.library]
        if importlib.util.find_spec(self.library) is None:
            raise ValueError(f"{self.name!r} needs {package}, which is not installed: {INSTALL}")
        if "visdom" not in sys.modules and importlib.util.find_spec("visdom") is None:
            sys.modules["visdom"] = types.SimpleNamespace(Visdom=None)  # adv-lib wants it for plots; no longer builds
        name = [*self.name.split(":"), ""][1]
        try:
            attack = getattr(importlib.import_module(module), name, None)
        except Exception as error:  # it may not fit the other packages that are here
            raise ValueError(f"{package} cannot be imported: {described(error, 200)}") from error
        known = isinstance(attack, type) or inspect.isfunction(attack)
        if name.startswith("_") or not known:
            raise ValueError(f"{package} has no attack {name!r}: a name such as adv_lib:vfga or torchattacks:SparseFool"
                             " is expected.")  # fmt: skip
        return attack

    def __call__(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        targets: Labels | None = None,
        on_step: OnStep | None = None,
    ) -> AttackResult:
        """Raises ValueError with one sentence where the library fails."""
        try:
            found = self._found(network, images.clone(), labels.clone()).detach().to(images)
            if found.shape != images.shape or not found.isfinite().all():
                raise ValueError(
                    f"finite values of shape {tuple(images.shape)} were expected, got {tuple(found.shape)}"
                )
            adversarial = found.clamp(0, 1)
        except Exception as error:  # it may raise anything; whoever named it needs to read what
            raise ValueError(f"{self.name} failed: {described(error, 200)}") from error
        with torch.no_grad():
            seen = network(adversarial).argmax(1)
        trace = Trace(*torch.zeros(3, 1, len(images)))
        return AttackResult(
            images, labels, None, adversarial, seen, seen != labels, {"optimised": adversarial}, trace
        )  # fmt: skip

    def _found(self, network: Network, images: Images, labels: Labels) -> Images:
        if isinstance(attack := self.attack, type):
            return attack(network, **self.settings)(images, labels)
        untargeted = {"targeted": False} if "targeted" in inspect.signature(attack).parameters else {}
        return attack(network, images, labels, **untargeted | self.settings)


def is_peer(name: str) -> bool:
    """Whether the name begins with one of the libraries."""
    return name.partition(":")[0] in LIBRARIES


def _setting(text: str, whole: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        found = value
    if not equals or not name.isidentifier() or not value:
        raise ValueError(f"{text!r} in {whole!r} is no setting: name=value is expected.")
    return name, found
