"""Numbers in plain words."""

import math

from explorer.pipeline import Exploration
from explorer.types import Checks, Evidence

JOINT = 0.3  # additivity above which single shares are to be read with care
INEXACT = 0.05  # completeness error above which the shares are


def stage_counts(exploration: Exploration) -> str:
    """How many pixels each stage left: markdown, the shown stage in bold."""
    counts = exploration.result.stage_pixels()
    shown = [
        f"**{int(n):,} {name}**" if name == exploration.stage else f"{int(n):,} {name}" for name, n in counts.items()
    ]
    return "Changed pixels: " + " → ".join(shown)


def trace(exploration: Exploration) -> str:
    """The curve of the attack for those who cannot see it."""
    margin, n_pixels = exploration.result.trace.margin[:, 0], exploration.result.trace.n_pixels[:, 0]
    if not len(margin):
        return "The attack ended before its first step."
    return (
        f"Over {len(margin)} steps the margin went from {margin[0]:.1f} to {margin[-1]:.1f} logits, "
        f"the changed pixels from {int(n_pixels[0]):,} to {int(n_pixels[-1]):,}."
    )


def check_sentences(evidence: Evidence) -> list[str]:
    """What each check of the labels found, as markdown; a check without a value says why."""
    return [
        _completeness(evidence.checks),
        _agreement(evidence),
        _ranks(evidence.checks),
        _additivity(evidence.checks),
    ]


def _completeness(checks: Checks) -> str:
    error = checks.completeness_error
    if math.isnan(error):
        return _verdict(None) + "This method gives scores, not exact shares, so there is nothing that must add up."
    if math.isinf(error):
        return _verdict(None) + "A logit did not change at all, so there is nothing to share out."
    return _verdict(error <= INEXACT) + (
        f"The shares add up to the whole change of the logits, within {100 * error:.1f} %."
        if error <= INEXACT
        else f"The shares miss the change of the logits by {100 * error:.0f} %: read their sizes with care."
    )


def _agreement(evidence: Evidence) -> str:
    agreeing, n_pixels = sum(pixel.agrees for pixel in evidence.pixels), len(evidence.pixels)
    kappa = evidence.checks.kappa
    beyond = "" if math.isnan(kappa) else f", Cohen's κ {kappa:.2f} (0 is chance, 1 is perfect)"
    return _verdict(agreeing >= 0.7 * n_pixels) + (
        "Reverting one pixel at a time, which knows nothing of gradients, confirms "
        f"{agreeing} of {n_pixels} labels{beyond}."
    )


def _ranks(checks: Checks) -> str:
    rho = checks.rank_correlation
    if math.isnan(rho):
        return _verdict(None) + "Too few pixels to compare their order with that of the reversal."
    return (
        _verdict(rho >= 0.5) + f"Both put the pixels in a similar order: Spearman's ρ {rho:.2f} (1 is the same order)."
    )


def _additivity(checks: Checks) -> str:
    error = checks.additivity
    if not math.isfinite(error):
        return _verdict(None) + "The true class's logit did not change at all, so there is nothing to share out."
    return _verdict(error <= JOINT) + (
        f"The pixels act one by one: their single effects add up to the whole within {100 * error:.0f} %."
        if error <= JOINT
        else f"The pixels act together: their single effects miss the whole by {100 * error:.0f} %."
    )


def _verdict(holds: bool | None) -> str:
    return {True: ":green-badge[holds] ", False: ":orange-badge[take care] ", None: ":gray-badge[undefined] "}[holds]
