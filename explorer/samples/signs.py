"""The data set of road signs: rendered, so its pictures are always here, and which pixels show the sign is known."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from explorer.images import from_uint8
from explorer.regions import Region, Size
from explorer.samples import renders
from explorer.samples.data_set import DataSet
from explorer.samples.gallery import gallery
from explorer.samples.source import Listed, Source
from explorer.signs import CLASS_NAMES, Scene, render
from explorer.types import Image, Sample

SEEDS_APART = 1_000_000  # renders between the first ones of two --seed


class RoadSigns(DataSet):
    """See DataSet."""

    name = renders.NAME
    title = "rendered road signs"
    label = "Road signs"
    input_size = (renders.SIDE, renders.SIDE)
    mean = (0.393, 0.383, 0.39)
    std = (0.193, 0.183, 0.21)
    eps = 4 / 255
    n_unseen = 5_000
    learned = "its own rendered road signs"
    bundled = True
    rendered = True
    counted = f"the {len(CLASS_NAMES)} road signs"

    @property
    def classes(self) -> Sequence[str]:
        """See DataSet."""
        return CLASS_NAMES

    @property
    def called(self) -> str:
        """See DataSet."""
        firsts = ", ".join(sample.name for sample in gallery() if sample.name.endswith("-1"))
        return f"signs are {firsts}, also with -2 and -3, new signs sign-1, sign-2, …"

    def gallery(self) -> tuple[Sample, ...]:
        """See DataSet."""
        return gallery()

    def owns(self, name: str) -> bool:
        """See DataSet."""
        return self.find(name) is not None

    def find(self, name: str) -> Sample | None:
        """One of the gallery's, or a new one, such as "sign-7"."""
        return next((sample for sample in gallery() if sample.name == name), None) or renders.find_new_sign(name)

    def clearest(self) -> list[Sample]:
        """The whole gallery."""
        return sorted(gallery(), key=lambda sample: sample.name.rpartition("-")[2])

    def first_look(self, n: int) -> list[tuple[Image, int]]:
        """Of classes that are spread over all, in scenes that no network of ours was trained or measured on."""
        labels = [number * len(CLASS_NAMES) // n for number in range(n)]
        scenes = (Scene.sample(renders.LOOK_SEEDS + number) for number in range(n))
        return [(from_uint8(render(label, scene)), label) for label, scene in zip(labels, scenes, strict=True)]

    def has_object(self, sample: Sample) -> bool:
        """Of every one, as the scene that it was rendered in is known."""
        return "seed" in sample.meta

    def object_of(self, sample: Sample, size: Size) -> Region:
        """The sign."""
        return Region.sign(sample.label, sample.meta["seed"], size)

    @property
    def sources(self) -> dict[str, Source]:
        """New signs for a study, those of the page, and renders as networks are measured on."""
        return {
            self.name: Source(
                self.name, "new road signs", "new signs, as many as --n", _new, "New road signs", endless=True
            ),
            "gallery": Source(
                self.name,
                "the road signs of the page",
                "the signs of the page",
                lambda n, seed, folder: [Listed.of(sample) for sample in self.clearest()[:n]],
                self.label,
                len(gallery()),
            ),
            "renders": Source(
                self.name,
                "unseen road signs",
                "signs that no network was trained on",
                _unseen,
                endless=True,
            ),
        }

    def labelled(
        self, *, train: bool, n: int | None = None, folder: Path | None = None, download: bool = False
    ) -> tuple[Tensor, Tensor]:
        """As many as one likes, rendered."""
        return renders.draw(renders.TRAINING_SEEDS if train else renders.UNSEEN_SEEDS, n or self.n_unseen)


def _new(n: int, _seed: int, _folder: Path | None) -> list[Listed]:
    numbers = range(1, min(n, renders.MOST) + 1)
    n_classes = len(CLASS_NAMES)
    return [
        Listed(f"sign-{each}", lambda each=each: renders.new_sign(each).image, (each - 1) % n_classes, RoadSigns.name)
        for each in numbers
    ]


def _unseen(n: int, seed: int, _folder: Path | None) -> list[Listed]:
    first = renders.UNSEEN_SEEDS + seed * SEEDS_APART
    return [
        Listed(f"render-{each}", lambda each=each: renders.drawn(each), renders.class_of(each), RoadSigns.name)
        for each in range(first, first + n)
    ]
