"""What a run that went badly looks like, why, and what to turn: of the knobs that its attack has; and remarks on it."""

from dataclasses import dataclass

from explorer.attacks import ATTACKS, Attack
from explorer.knobs import knobs
from explorer.types import AttackResult

MANY_PIXELS = 0.05  # share of the picture above which the optimised stage has left too many
STUCK_PIXELS = 0.25  # share above which it has never left the dense start
UNSETTLED = 0.2  # mean jump of the late loss from step to step, as a share of its whole range
WEIGHING = {"a", "lam", "tau"}  # the knobs of an attack that weighs pixels; what is advised about them is of no other


@dataclass(frozen=True)
class Finding:
    """One failure signature. Each part is a phrase or a sentence for the reader."""

    seen: str
    cause: str
    cure: str


def diagnose(result: AttackResult, attack: Attack, *, succeeded: bool, confined: bool = False) -> tuple[Finding, ...]:
    """The failure signatures that a result of one image shows, the gravest first. `confined`: to a region."""
    if not succeeded and result.gradient == "zero" and not attack.black_box:
        return (_flat(),)
    findings = [] if succeeded else [_not_fooled(result, attack, confined)]
    if {*knobs(attack)} >= WEIGHING:
        findings += _badly_weighed(result)
    return tuple(findings)


def remarks(result: AttackResult) -> tuple[str, ...]:
    """What else is worth knowing of a result of one image, in a sentence each."""
    told = []
    if result.was_training:
        told.append("The network was in training mode; it was attacked in evaluation mode.")
    if result.gradient == "not finite":
        told.append(
            "The network's gradient is not finite for all values of the picture: those for which it is not were left "
            "alone."
        )
    counts = {name: int(n) for name, n in result.stage_pixels().items()}
    if "random" in counts and counts["random"] < (before := [*counts.values()][-2]):
        told.append(
            f"Random search, which came last and follows no gradient, found {counts['random']:,} pixels where the "
            f"stages before it needed {before:,}."
        )
    return tuple(told)


def _flat() -> Finding:
    others = " or ".join(f"{kind.title}, by name {name}" for name, kind in ATTACKS.items() if kind.black_box)
    return Finding(
        "The network gives no gradient at this picture: it is zero for every value.",
        "the network is flat there, as one that rounds its values inside, so no step knows where to go",
        f"an attack that needs no gradients: {others}",
    )


def _not_fooled(result: AttackResult, attack: Attack, confined: bool) -> Finding:
    if result.stopped:
        return Finding("The network is not fooled yet.", "the run was stopped", "let it run to the end")
    if confined or attack.max_change < 1:
        return Finding(
            "The network was not fooled." if result.targets is None else "The target was not reached.",
            "too few pixels may change, or none by enough",
            "a larger region, or more as the largest change",
        )
    causes, cures = _too_tight(attack)
    if result.targets is not None:
        return Finding(
            "The target was not reached.",
            _either("the target is far from what the picture shows", *causes),
            _either("any wrong class instead of a target", *cures),
        )
    return Finding("The network was not fooled.", _either(*causes), _either(*cures))


def _too_tight(attack: Attack) -> tuple[list[str], list[str]]:
    """What keeps an attack from fooling, and what to turn: each of the knobs that it has."""
    known, causes, cures = knobs(attack), [], []
    if "tau" in known:
        causes, cures = ["τ is too aggressive"], ["a smaller τ"]
    if {"box", "eps"} <= {*known}:
        causes.append("the box is too tight for ε")
        cures += ["the sign-aware box", "a larger ε"]
    if not causes:
        counts = [known[name] for name in attack.main if isinstance(known[name].default, int)]
        causes = ["the network withstands what the attack may try"]
        cures = [f"raising {_either(*(count.label.rpartition(' · ')[2] for count in counts))}"] if counts else []
    if attack.max_pixels is not None:
        causes.append("too few pixels are allowed")
        cures.append("more pixels")
    return causes, cures or ["another attack"]


def _badly_weighed(result: AttackResult) -> list[Finding]:
    """How the weights of the optimised stage went wrong."""
    findings = []
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
    return findings


def _unsettled(result: AttackResult) -> bool:
    loss = result.trace.loss[:, 0]
    late = loss[len(loss) // 2 :]
    extent = float(loss.max() - loss.min()) if len(loss) else 0.0
    return len(late) > 2 and extent > 0 and float(late.diff().abs().mean()) > UNSETTLED * extent


def _either(*parts: str) -> str:
    """One, or another, or a third."""
    *first, last = parts
    return f"{', '.join(first)} or {last}" if first else last
