"""Some of the images of a batch: exactly those where the host may look, else all of them, behind a mask."""

import torch
from torch import Tensor

from explorer.attacks.problem import Problem


class Rows:
    """The images for which `mask` (b,) holds.

    While a step is captured its shapes must not depend on values: then `of` gives all images, and `put` changes only
    those of the mask. What a step does with the others is wasted, and without effect.
    """

    def __init__(self, problem: Problem, mask: Tensor) -> None:
        self.mask = mask
        self._index = mask.nonzero()[:, 0] if problem.peeks else None
        self.problem = problem if self._index is None else problem.of(self._index)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do, as far as the host can see."""
        return self._index is not None and not len(self._index)

    def of(self, values: Tensor) -> Tensor:
        """The rows of `values` (b, ...)."""
        return values if self._index is None else values[self._index]

    def put(self, values: Tensor, new: Tensor) -> Tensor:
        """`values` (b, ...) with these rows replaced by `new`."""
        if self._index is not None:
            return values.index_copy(0, self._index, new.to(values.dtype))
        mask = self.mask.view(-1, *[1] * (values.ndim - 1))
        return torch.where(mask, new.to(values.dtype), values)
