"""Numbers in plain words."""

import math

from explorer.evidence import Examination
from explorer.evidence.trust import CONFIRMED, INCOMPLETE, JOINT
from explorer.pipeline import Exploration, percent
from explorer.types import Checks, Evidence


def duration(seconds: float) -> str:
    """A time as people say it."""
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"


def waiting(turns: int, low: float, high: float, what: str = "the answer") -> str:
    """What somebody waits for, and how long: likely between so many seconds, where that is known."""
    told = f"Waiting: {turns} {'run' if turns == 1 else 'runs'} ahead"
    if high < 1:
        return told
    return f"{told}; {what} is likely in {between(low, high)}"


def between(low: float, high: float) -> str:
    """A range of seconds, in the unit that suits its end."""
    first, last = (f"{seconds:.0f}" if high < 100 else f"{seconds / 60:.0f}" for seconds in (low, high))
    times = last if first == last else f"{first} to {last}"
    return f"{times} {'s' if high < 100 else 'min'}"


STAGE_WORDS = {"random": "random search"}  # what a stage is called, where its name does not do


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
        _groups(evidence),
        _additivity(evidence.checks),
    ]


def _completeness(checks: Checks) -> str:
    error = checks.completeness_error
    if math.isnan(error):
        return _verdict(None) + "This method gives scores, not exact shares, so there is nothing that must add up."
    if math.isinf(error):
        return _verdict(None) + "A logit did not change at all, so there is nothing to share out."
    return _verdict(error <= INCOMPLETE) + (
        f"The shares add up to the whole change of the logits, within {100 * error:.1f} %."
        if error <= INCOMPLETE
        else f"The shares miss the change of the logits by {100 * error:.0f} %: read their sizes with care."
    )


def _agreement(evidence: Evidence) -> str:
    agreeing, n_pixels = sum(pixel.agrees for pixel in evidence.pixels), len(evidence.pixels)
    kappa = evidence.checks.kappa
    beyond = "" if math.isnan(kappa) else f", Cohen's κ {kappa:.2f} (0 is chance, 1 is perfect)"
    return _verdict(agreeing >= CONFIRMED * n_pixels) + (
        "Reverting one pixel at a time, which knows nothing of gradients, confirms "
        f"{agreeing:,} of {n_pixels:,} labels{beyond}."
    )


def _ranks(checks: Checks) -> str:
    rho = checks.rank_correlation
    if math.isnan(rho):
        return _verdict(None) + "Too few pixels to compare their order with that of the reversal."
    orders = "a similar order" if rho >= 0.5 else "other orders"
    return _verdict(rho >= 0.5) + f"Both put the pixels in {orders}: Spearman's ρ {rho:.2f} (1 is the same order)."


def _additivity(checks: Checks) -> str:
    error = checks.additivity
    if not math.isfinite(error):
        return _verdict(None) + "The true class's logit did not change at all, so there is nothing to share out."
    return _verdict(error <= JOINT) + (
        f"The pixels act one by one: their single effects add up to the whole within {100 * error:.0f} %."
        if error <= JOINT
        else f"The pixels act together: their single effects miss the whole by {100 * error:.0f} %."
    )


def _groups(evidence: Evidence) -> str:
    d, p = evidence.checks.dissociation, evidence.checks.dissociation_p
    if math.isnan(d):
        kinds = {pixel.kind for pixel in evidence.pixels}
        why = "All labels are of one kind, so there are no two groups to compare."
        if len(kinds) > 1:
            why = "The true class did not lose or the wrong one did not gain, so the groups have nothing to share."
        return _verdict(None) + why
    chance = "" if math.isnan(p) else f" (p = {p:.2g}, the share of such splits, this one included, that do as well)"
    return _verdict(d > 0) + (
        f"Putting back the obscuring pixels returns more of the true class, and putting back the leading ones takes "
        f"more of the wrong one, than the other way round: D = {d:.2f}{chance}."
        if d > 0
        else f"The two groups do not do what they are called: D = {d:.2f}, below zero{chance}."
    )


def examination_sentences(found: Examination) -> list[str]:
    """What the longer checks found, as markdown."""
    evidence, asm = found.evidence, found.adversarial_saliency
    agreeing = [found.agreeing(pixel) for pixel in range(len(evidence.pixels))]
    n_others = len(found.others)
    mean = sum(agreeing) / (len(agreeing) * n_others)
    sentences = [
        f"{_verdict(mean >= 0.6)}On average {percent(mean)} of the {n_others} other methods give a pixel the kind that "
        f"is shown; for {agreeing.count(n_others)} of {len(agreeing)} pixels they all do.",
        _groups(evidence),
    ]
    for name, curve in (("Putting pixels back", found.deletion), ("Changing pixels", found.insertion)):
        gap = 100 * curve.advantage
        sentences.append(
            f"{_verdict(gap > 0)}{name}, those with the highest numbers first, works faster than in random order, by "
            f"{gap:.0f} % of the whole effect on average."
            if gap > 0
            else f"{_verdict(False)}{name}, those with the highest numbers first, works no faster than in random order "
            f"({gap:.0f} %)."
        )
    if math.isnan(found.infidelity):
        sentences.append(_verdict(None) + "Putting groups of pixels back changes nothing, so there is no infidelity.")
    else:
        sentences.append(
            f"{_verdict(found.infidelity < 0.2)}The numbers foretell what putting random groups of pixels back does, "
            f"with an error of {100 * found.infidelity:.0f} % (infidelity relative to the effect; 0 % is exact)."
        )
    sentences.append(
        f"{_verdict(asm.share > asm.chance)}{percent(asm.share)} of the change (as its length) lies on the tenth of "
        f"the picture where the adversarial saliency is highest; strewn at random it would be {percent(asm.chance)}."
    )
    return sentences


def _verdict(holds: bool | None) -> str:
    return {True: ":green-badge[holds] ", False: ":orange-badge[take care] ", None: ":gray-badge[undefined] "}[holds]
