"""Failure signatures: what a run that went badly looks like, why, and what to turn."""

from dataclasses import dataclass

from explorer.types import AttackResult

MANY_PIXELS = 0.05  # share of the picture above which the optimised stage has left too many
STUCK_PIXELS = 0.25  # share above which it has never left the dense start
UNSETTLED = 0.2  # mean jump of the late loss from step to step, as a share of its whole range


@dataclass(frozen=True)
class Finding:
    """One failure signature. Each part is a phrase or a sentence for the reader."""

    seen: str
    cause: str
    cure: str


def diagnose(result: AttackResult, *, succeeded: bool, confined: bool = False) -> tuple[Finding, ...]:
    """The failure signatures that a result of one image shows, the gravest first. `confined`: not all pixels, or none
    by much, were allowed to change.
    """
    findings = []
    if not succeeded:
        findings.append(_not_fooled(result, confined))
    height, width = result.images.shape[2:]
    n_pixels = int(result.stage_pixels()["optimised"])
    share = n_pixels / (height * width)
    if share > STUCK_PIXELS:
        findings.append(
            Finding(
                f"The optimised stage still changes {n_pixels:,} pixels: it stays at the dense start.",
                "λ or τ overwhelms the loss, or a is so small or so large that the normal has no slope at the weights",
                "a smaller λ, a smaller τ, or an a nearer to 0.1",
            )
        )
    elif share > MANY_PIXELS:
        findings.append(
            Finding(
                f"The optimised stage leaves many pixels: {n_pixels:,} of {height * width:,}.",
                "a is too large, λ too small, or τ too small",
                "a smaller a, a larger λ or a larger τ",
            )
        )
    if _unsettled(result):
        findings.append(
            Finding(
                "The loss jumps and never settles.",
                "a is too small or the step too large: the normal is too sharp for the step",
                "a smaller step, a larger a, or an a that narrows over the run",
            )
        )
    return tuple(findings)


def _not_fooled(result: AttackResult, confined: bool) -> Finding:
    if result.stopped:
        return Finding("The network is not fooled yet.", "the run was stopped", "let it run to the end")
    if confined:
        return Finding(
            "The network was not fooled." if result.targets is None else "The target was not reached.",
            "too few pixels may change, or none by enough",
            "a larger region, or more as the largest change",
        )
    if result.targets is not None:
        return Finding(
            "The target was not reached.",
            "the target is far from what the picture shows, τ is too aggressive, or the box is too tight for ε",
            "any wrong class instead of a target, a smaller τ, the sign-aware box, or a larger ε",
        )
    return Finding(
        "The network was not fooled.",
        "τ is too aggressive, the box is too tight for ε, or too few pixels are allowed",
        "a smaller τ, the sign-aware box, a larger ε, or more pixels",
    )


def _unsettled(result: AttackResult) -> bool:
    loss = result.trace.loss[:, 0]
    late = loss[len(loss) // 2 :]
    extent = float(loss.max() - loss.min()) if len(loss) else 0.0
    return len(late) > 2 and extent > 0 and float(late.diff().abs().mean()) > UNSETTLED * extent
