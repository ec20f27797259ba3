"""What every attack shares after its own steps: the books (best image, trace, progress, stop) and the later stages."""

import torch
from torch import Tensor

from explorer.attacks.objective import Objective, count_units
from explorer.attacks.polishing import ROUNDS, polish
from explorer.attacks.pruning import prune
from explorer.grid import changed_pixels
from explorer.numerics import margins
from explorer.types import AttackResult, Images, OnStep, PerImage, Step, Trace


class Progress:
    """The books of one attack on a batch of images."""

    def __init__(
        self,
        objective: Objective,
        images: Images,
        *,
        unit: str,
        steps: int,
        max_units: int | None = None,
        on_step: OnStep | None = None,
    ) -> None:
        """`steps` of the optimised stage, at most; `max_units`: images with more changed units do not count."""
        self.objective, self.images = objective, images
        self.unit, self.max_units = unit, max_units
        self.total, self.on_step = steps + ROUNDS, on_step
        self.stage, self.done, self.stopped = "optimised", 0, False
        self.best = images
        self.weights: Tensor | None = None  # (b, n), of attacks that have them
        self._key = torch.full((len(images),), torch.inf, dtype=torch.float64, device=images.device)
        self._margin = torch.full((len(images),), torch.inf, dtype=images.dtype, device=images.device)
        # Room for all steps at once: a small tensor kept per step holds the freed memory between them (1 GB was seen).
        shape = steps, len(images)
        self._trace = images.new_empty(shape), images.new_empty(shape, dtype=torch.int64), images.new_empty(shape)

    def record(self, adversarial: Images, margin: PerImage, loss: PerImage) -> bool:
        """Book one step of the optimised stage; True if the attack should stop.

        Best is the fooling image with the fewest units, then the least margin; without one, the least margin.
        """
        n_pixels = changed_pixels(self.images, adversarial).flatten(1).sum(1)
        n_units = n_pixels if self.unit == "pixel" else count_units(self.images, adversarial, self.unit)
        tie = margin.double() / (2 + 2 * margin.double().abs())  # in (-1/2, 1/2): never outweighs a unit
        key = torch.where(margin < 0, n_units, self.images[0].numel() + 1) + tie
        if self.max_units is not None:
            key = torch.where(n_units <= self.max_units, key, torch.inf)
        better = key < self._key
        self._key = torch.where(better, key, self._key)
        self.best = torch.where(better[:, None, None, None], adversarial, self.best)
        self._margin = margin
        for column, values in zip(self._trace, (margin, n_pixels, loss), strict=True):
            column[self.done] = values
        return self._advance(self.best, adversarial)

    def refine(self, with_pruning: bool, with_polishing: bool) -> AttackResult:
        """Prune and polish the best image, as asked, and close the books."""
        trace = Trace(*(column[: self.done].cpu() for column in self._trace))
        stages = {"optimised": self.best}
        if with_pruning and not self.stopped:
            self.stage = "pruned"
            stages["pruned"] = prune(self.objective, self.images, self.best, self.unit, lambda: self._tell(self.best))
        if with_polishing and not self.stopped:
            found = next(reversed(stages.values()))
            self.stage = "polished"
            stages["polished"] = polish(self.objective, self.images, found, self.unit, ROUNDS, self._advance)
        return self._result(stages, trace)

    def _advance(self, best: Images, current: Images | None = None) -> bool:
        self.done += 1
        return self._tell(best, current)

    def _tell(self, best: Images, current: Images | None = None) -> bool:
        """Tell the caller; True once it has asked to stop. Without an iterate of its own, `best` is the current one."""
        if self.on_step is not None and not self.stopped:
            n_pixels = changed_pixels(self.images, best).flatten(1).sum(1)
            n_pixels = torch.where(self._key <= self.images[0].numel(), n_pixels, self.images[0, 0].numel())
            step = Step(self.stage, self.done, self.total, n_pixels, self._margin, best if current is None else current)
            self.stopped = bool(self.on_step(step))
        return self.stopped

    def _result(self, stages: dict[str, Images], trace: Trace) -> AttackResult:
        adversarial = next(reversed(stages.values()))
        labels, targets = self.objective.labels, self.objective.targets
        logits = self.objective.logits(adversarial)
        succeeded = margins(logits, labels, targets) < 0
        if self.max_units is not None:
            succeeded &= count_units(self.images, adversarial, self.unit) <= self.max_units
        return AttackResult(
            images=self.images,
            labels=labels,
            targets=targets,
            adversarial=adversarial,
            adversarial_labels=logits.argmax(1),
            succeeded=succeeded,
            stages=stages,
            trace=trace,
            stopped=self.stopped,
            weights=self.weights,
        )
