"""Weights that are fetched once, when somebody asks, into the folder where torch looks for them as well."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.classifiers.default import DEFAULT
from explorer.fetching import FetchFailed, OnBytes, fetch
from explorer.folders import cache_folder


@dataclass(frozen=True)
class Download:
    """A file of weights. torchvision's names end in the first digits of their SHA-256: resnet18-f37072fd.pth.

    They are compared when the file is fetched. A file that somebody has put there is taken as it is, as torch does:
    what reads it must not run anything that it holds.
    """

    url: str
    n_bytes: int  # about

    @property
    def path(self) -> Path:
        """Where it lies, or would: TORCH_HOME/hub/checkpoints."""
        folder = Path(torch.hub.get_dir())
        if folder.parts[0] == "~":  # a user without a home: torch would make a folder of this name where it is run
            folder = cache_folder() / "torch" / "hub"
        return folder / "checkpoints" / self.url.rpartition("/")[2]

    @property
    def here(self) -> bool:
        return self.path.is_file()

    def fetch(self, on_bytes: OnBytes, stopped: Callable[[], bool]) -> bool:
        """Bring it here; whether it was finished before `stopped` said so. It appears whole, or nothing is left.

        `on_bytes` hears of the bytes so far and in all. Raises RuntimeError with one sentence that says what to do.
        """
        digits = self.path.stem.rpartition("-")[2]
        try:
            return fetch(self.url, self.path, f"sha256:{digits}", on_bytes, stopped)
        except FetchFailed as error:
            raise RuntimeError(f"{str(error).rstrip('.')}. {self._cure()}") from error

    def found(self) -> Path:
        """Where it lies. Never downloads: raises RuntimeError with one sentence if it is not here."""
        if not self.here:
            raise RuntimeError(
                f"The weights are not on this computer yet: {self.path.name} ({self.n_bytes / 1e6:,.0f} MB) is looked "
                f"for in {self.path.parent}. {self._cure()}"
            )
        return self.path

    def _cure(self) -> str:
        return f"Put {self.url} into {self.path.parent}, or choose {DEFAULT}, which needs no download."
