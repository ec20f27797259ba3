"""Several networks as one."""

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import nn

from explorer.locks import exclusive
from explorer.types import Images, Logits


class Ensemble(nn.Module):
    """(b, 3, h, w) RGB in [0, 1] -> logits (b, k): the logarithm of the mean of the members' probabilities.

    What fools it carries over to other networks more often (Liu et al., arXiv 1611.02770). Members must know the same
    classes, in the same order.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        """Raises ValueError where there is no member."""
        super().__init__()
        if not members:
            raise ValueError("An ensemble needs one network or more; got none.")
        self.members = nn.ModuleList(members)
        for name in ("class_names", "input_size"):
            if (of := getattr(members[0], name, None)) is not None:
                setattr(self, name, of)

    def alone(self) -> ExitStack:
        """Nobody else uses a member, as a context: their locks, in one order for all, see explorer.locks."""
        stack = ExitStack()
        for member in sorted(self.members, key=id):
            stack.enter_context(exclusive(member))
        return stack

    def forward(self, images: Images) -> Logits:
        # each gets pictures of its own: a network may write into what it is given
        logs = torch.stack([member(images.clone()).log_softmax(1) for member in self.members])
        return logs.logsumexp(0) - torch.tensor(len(logs)).log()
