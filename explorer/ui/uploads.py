"""The networks that visitors have uploaded: how many of them the server holds, and how much memory they take."""

import copy
import threading
import weakref
from collections.abc import Callable

import torch

from explorer.classifiers import Classifier
from explorer.limits import limits
from explorer.locks import read_only_twin
from explorer.ui.stores import server_wide


class Uploads:
    """Those that somebody still holds: a visit that ends, or takes another network, makes room."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: weakref.WeakSet[Classifier] = weakref.WeakSet()
        self._guard = threading.Lock()

    def admit(self, load: Callable[[], Classifier], n_bytes: int, before: Classifier | None = None) -> Classifier:
        """What `load` makes of a file of so many bytes, if there is room for it, in place of the visitor's network
        `before`. Files are read one after the other, so that the limits hold while several come at once.

        Raises ValueError with one sentence if there is no room, or `load` does.
        """
        with self._guard:
            others = [clf for clf in self._held if clf is not before]
            held = sum(map(_bytes, others))
            if len(others) >= self._most or held + n_bytes > self._most_bytes:
                raise ValueError(
                    f"Visitors have uploaded {len(others)} networks of {held / 1e6:,.0f} MB together, and the computer "
                    f"that runs this app keeps at most {self._most} and {self._most_bytes / 1e6:,.0f} MB: please try "
                    "again when one of them has left."
                )
            clf = load()
            self._held.add(clf)
            return clf

    def on_device(self, clf: Classifier, device: str) -> Classifier:
        """The network there: itself, or a copy, as it may be at work where it is."""
        if clf.device == torch.empty(0, device=device).device:
            return clf
        moved = copy.deepcopy(read_only_twin(clf)).to(device)  # nobody hooks it: no waiting
        with self._guard:
            self._held.add(moved)
        return moved


def _bytes(clf: Classifier) -> int:
    return sum(tensor.nbytes for tensor in clf.state_dict().values())


@server_wide
def uploads() -> Uploads:
    """Those of this server."""
    return Uploads(limits().networks, limits().networks_mb * 10**6)
