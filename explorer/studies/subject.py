"""What is attacked: a network, by itself or behind a defence, and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor, nn

from explorer.defences import Defence, Defended
from explorer.grid import levels
from explorer.hashes import image_sha256, network_sha256
from explorer.types import Images, Labels

LARGEST_BATCH = 128
BATCH_VALUES = 2**19  # floats of input


@dataclass(frozen=True)
class Subject:
    """A network and the pictures (n, 3, h, w) that it is attacked on, from the classes `labels` (n,)."""

    name: str  # of the network
    network: nn.Module
    images: Images
    labels: Labels
    pictures: Sequence[str] = ()  # their names; by default their numbers
    defence: Defence | None = None  # that stands before the network, and that the attack knows of

    @cached_property
    def attacked(self) -> nn.Module:
        """The network, together with its defence if it has one."""
        return self.network if self.defence is None else Defended(self.network, self.defence)

    @property
    def defended_by(self) -> str:
        """The defence with its settings; empty without one."""
        return "" if self.defence is None else repr(self.defence)

    @cached_property
    def network_sha256(self) -> str:
        return network_sha256(self.attacked)

    @cached_property
    def images_sha256(self) -> list[str]:
        return [image_sha256(image) for image in self.images]

    @cached_property
    def levels(self) -> Tensor:
        """The pictures (n, 3, h, w) as bytes on the host, as they travel."""
        return levels(self.images).cpu()

    def picture(self, index: int) -> str:
        return self.pictures[index] if self.pictures else str(index)

    @property
    def batch(self) -> int:
        """Runs that are done, and kept, together; the attack itself looks at as many at once as there is room for."""
        return max(1, min(LARGEST_BATCH, BATCH_VALUES // self.images[0].numel()))
