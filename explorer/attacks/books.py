"""The books of one attack on a batch: the best image of each, how its own steps went, and what the caller hears."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from explorer.attacks.problem import Problem
from explorer.attacks.stage import Stage, State
from explorer.types import AttackResult, Images, OnStep, Step, Trace


class Books:
    """Best is the fooling image with the fewest units, then the least margin; without one, the least margin.

    All tensors are of the whole batch and are written in place, so that noting can be captured together with a step.
    """

    def __init__(self, problem: Problem, steps: int) -> None:
        """`steps` of the attack's own stage, at most."""
        images = problem.images
        self._nothing = images[0].numel() + 1  # more units than there are: not fooled
        self.best = images.clone()
        self.units = torch.full_like(problem.labels, self._nothing)  # of the best image, where it fools
        self.least = torch.full_like(images[:, 0, 0, 0], torch.inf)  # its margin
        self.margin = self.least.clone()  # of the last step
        self._kappa = problem.kappa
        # Room for all steps at once: a small tensor kept per step holds the freed memory between them (1 GB was seen).
        shape = steps, len(images)
        self._trace = images.new_empty(shape), problem.labels.new_empty(shape), images.new_empty(shape)

    def note(self, problem: Problem, state: State, live: Tensor | None, t: Tensor | None) -> None:
        """Look at the candidates of a step: those of the images `live` (m,), None: of all, whose problem is `problem`.
        `t` () is the row of the trace, None in the later stages.
        """
        candidate, margin = state["candidate"], state["margin"]
        n_units = problem.changed(candidate).sum(1)
        units = torch.where(margin < 0, n_units, self._nothing)
        old_units, least = _rows(self.units, live), _rows(self.least, live)
        better = (units < old_units) | ((units == old_units) & (margin < least))
        if problem.max_units is not None:
            better &= n_units <= problem.max_units
        _replace(self.best, live, better[:, None, None, None], candidate)
        _replace(self.units, live, better, units)
        _replace(self.least, live, better, margin)
        _put(self.margin, live, margin)
        if t is not None:
            n_pixels = n_units if problem.unit == "pixel" else (candidate != problem.images).any(1).flatten(1).sum(1)
            for column, values in zip(self._trace, (margin, n_pixels, state.get("loss", margin)), strict=True):
                row = values.to(column.dtype)[None]
                if live is not None:  # images that are done stay as they were
                    row = column.index_select(0, (t - 1).clamp_min(0)[None]).index_copy(1, live, row)
                column.index_copy_(0, t[None], row)

    def forget(self, images: Tensor, clean: Images) -> None:
        """As if nothing had been found for these images (b,) bool: the best is the clean one (b, 3, h, w)."""
        self.best.copy_(torch.where(images[:, None, None, None], clean, self.best))
        self.units.masked_fill_(images, self._nothing)
        self.least.masked_fill_(images, torch.inf)

    @property
    def fools(self) -> Tensor:
        """Which images (b,) are fooled by their best."""
        return self.units < self._nothing

    def trace(self, steps: int) -> Trace:
        """The first `steps` rows, on the host."""
        margin, n_pixels, loss = (column[:steps].cpu() for column in self._trace)
        return Trace(margin - self._kappa, n_pixels, loss)

    @property
    def rows(self) -> int:
        """Steps that there is room for in the trace."""
        return len(self._trace[0])

    def tensors(self) -> list[Tensor]:
        """All that is written."""
        return [self.best, self.units, self.least, self.margin, *self._trace]

    def copy_from(self, other: "Books") -> None:
        """Become equal to books of the same shape."""
        for mine, theirs in zip(self.tensors(), other.tensors(), strict=True):
            mine.copy_(theirs)


class Progress:
    """What the caller hears of the steps of one attack, and whether it has asked to stop."""

    def __init__(
        self,
        problem: Problem,
        books: Books,
        total: int,
        on_step: OnStep | None,
        so_far: Callable[[str], AttackResult] | None = None,
    ) -> None:
        """`total`: steps over all stages, at most. `so_far`: the result, if the attack ended in the stage of a name."""
        self._images, self._books, self._total, self._on_step = problem.images, books, total, on_step
        self._kappa = problem.kappa
        self._so_far = so_far
        self.done, self.stopped = 0, False
        self.left: Tensor | None = None  # images (b,) bool whose attack should stop; None: nobody said so

    @property
    def heard(self) -> bool:
        """Whether the caller hears of the steps."""
        return self._on_step is not None and not self.stopped

    def tell(self, stage: Stage, steps: int, current: Images | None = None, live: Tensor | None = None) -> bool:
        """`steps` more are done of this stage; True if the attack should stop. `current`: the last step's
        candidates, of the images `live`; None: the best images.
        """
        self.done = min(self.done + steps * bool(stage.expected), self._total)
        if self.heard:
            best = self._books.best
            n_pixels = (best != self._images).any(1).flatten(1).sum(1)
            n_pixels = torch.where(self._books.fools, n_pixels, best[0, 0].numel())
            seen = best.clone()  # the caller's own: the next step writes into the books
            if current is not None:
                _put(seen, live, current)
            so_far = self._so_far and partial(self._so_far, stage.name)
            answer = self._on_step(
                Step(stage.name, self.done, self._total, n_pixels, self._books.margin - self._kappa, seen, so_far)
            )
            self.left = answer.to(best.device) if torch.is_tensor(answer) else None
            self.stopped = bool(answer if self.left is None else self.left.all())
        return self.stopped


def _rows(values: Tensor, live: Tensor | None) -> Tensor:
    return values if live is None else values[live]


def _replace(values: Tensor, live: Tensor | None, mask: Tensor, new: Tensor) -> None:
    """`new` where `mask` holds."""
    if live is None:
        torch.where(mask, new, values, out=values)
    else:
        values.index_copy_(0, live, torch.where(mask, new, values[live]))


def _put(values: Tensor, live: Tensor | None, new: Tensor) -> None:
    if live is None:
        values.copy_(new)
    else:
        values.index_copy_(0, live, new.to(values.dtype))
