"""Reversal: take changes back and see. Knows nothing of saliency, so it can prove a label wrong."""

from collections.abc import Callable

import torch
from torch import Tensor

from explorer.evidence.case import Case, at_once, centred_logits
from explorer.exact import exact_arithmetic

EXACT = 12  # changed pixels up to which all 2^n groups are tried


class Reversals:
    """The centred logits of the adversarial picture with some of its n changed pixels put back, each computed once."""

    def __init__(self, case: Case, on_pictures: Callable[[int], object] = lambda n: None) -> None:
        """`on_pictures` hears of how many pictures the network has seen; what it raises ends the work."""
        self.case = case
        self._known: dict[bytes, Tensor] = {}
        self._on_pictures, self._seen = on_pictures, 0

    def __call__(self, back: Tensor) -> Tensor:
        """Z (m, k) for masks `back` (m, n), True where a pixel is put back."""
        keys = [bytes(row) for row in back.cpu().to(torch.uint8).numpy()]
        missing = {key: row for row, key in enumerate(keys) if key not in self._known}
        if missing:
            device = self.case.image.device
            with exact_arithmetic(device):
                logits = self._forward(back[list(missing.values())].to(device))
            self._known.update(zip(missing, logits, strict=True))
        return torch.stack([self._known[key] for key in keys])

    def effects(self, back: Tensor) -> Tensor:
        """(m, 2): how much of Z_y comes back, and how much of Z_t goes, in logits, for masks (m, n)."""
        y, t = self.case.label, self.case.wrong
        change = self(back) - self.case.logits
        return torch.stack([change[:, y], -change[:, t]], dim=1)

    def single(self) -> tuple[Tensor, Tensor]:
        """Obscuring and leading (n,) of each pixel by putting it back alone, in logits.

        o_i = Z_y(x' - d_i) - Z_y(x'): what reverting the pixel gives back to the true class;
        l_i = Z_t(x') - Z_t(x' - d_i): what it takes from the wrong one.
        """
        effects = self.effects(torch.eye(self.case.n_pixels, dtype=torch.bool))
        return effects[:, 0], effects[:, 1]

    def _forward(self, back: Tensor) -> Tensor:
        case, (rows, cols) = self.case, self.case.places
        found = []
        for some in back.split(at_once(case.image)):
            self._on_pictures(self._seen)
            found.append(centred_logits(case.network, self._pictures(some, rows, cols)))
            self._seen += len(some)
        return torch.cat(found)

    def _pictures(self, back: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
        pictures = self.case.adversarial.repeat(len(back), 1, 1, 1)
        pixels = torch.where(back[:, None], self.case.image[:, rows, cols], self.case.adversarial[:, rows, cols])
        pictures[:, :, rows, cols] = pixels
        return pictures
