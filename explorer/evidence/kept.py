"""The labels of one picture as a line of a file, and back."""

import dataclasses
import math
from typing import Any

from explorer.grid import levels
from explorer.packing import all_rounded, rounded
from explorer.types import Checks, Evidence, Image, PixelLabel


def evidence_record(evidence: Evidence) -> dict[str, Any]:
    """Evidence for JSON, its numbers in six digits. The colours are left out: the pictures know them."""
    return {
        "pixels": [
            [p.row, p.col, rounded(p.obscuring), rounded(p.leading), p.kind, int(p.weak),
             rounded(p.reversal_obscuring), rounded(p.reversal_leading), p.reversal_kind]
            for p in evidence.pixels
        ],
        "checks": all_rounded(dataclasses.astuple(evidence.checks)),
        "wrong": evidence.adversarial_label,
        "unit": evidence.unit,
    }  # fmt: skip


def evidence_of(record: dict[str, Any], image: Image, adversarial: Image, label: int, method: str) -> Evidence:
    """The evidence of a record, which was made of these two pictures (3, h, w), for the true `label`, by `method`."""
    before, after = levels(image.cpu()), levels(adversarial.cpu())
    pixels = tuple(
        PixelLabel(
            row, col, tuple(before[:, row, col].tolist()), tuple(after[:, row, col].tolist()),
            obscuring, leading, kind, bool(weak), reversal_obscuring, reversal_leading, reversal_kind,
        )
        for row, col, obscuring, leading, kind, weak, reversal_obscuring, reversal_leading, reversal_kind
        in record["pixels"]
    )  # fmt: skip
    checks = Checks(*(math.nan if value is None else value for value in record["checks"]))
    return Evidence(pixels, checks, method, label, record["wrong"], record["unit"])
