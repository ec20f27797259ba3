"""What a run that went badly looks like, why, and which settings may help; and remarks on a run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from explorer.attacks import ATTACKS, Attack
from explorer.knobs import Knob, knobs
from explorer.pipeline.response import STOPS
from explorer.types import AttackResult

MANY_PIXELS = 0.05  # share of the picture above which the optimised stage has left too many
STUCK_PIXELS, DENSE = 0.25, 0.98  # shares, of the picture and of the first step's pixels: it never left the dense start
UNSETTLED = 0.2  # mean jump of the late loss from step to step, as a share of its whole range
WEIGHING = {"a", "lam", "tau"}  # the knobs of an attack that weighs pixels; what is said about them is of no other
NEAR = 2  # stops on either side of a setting that are worth a try
STRONGER = (2, 4)  # times a number that limits an attack


@dataclass(frozen=True)
class Cure:
    """One knob put to another value."""

    knob: str
    value: Any


@dataclass(frozen=True)
class Finding:
    """One failure signature. `cure` is a phrase for the reader, where no knob of the attack is meant; `cures` are
    settings that may help: see explorer.pipeline.cures, which tries them.
    """

    seen: str
    cause: str
    cure: str = ""
    cures: tuple[Cure, ...] = ()


def diagnose(result: AttackResult, attack: Attack, *, succeeded: bool, confined: bool = False) -> tuple[Finding, ...]:
    """The failure signatures that a result of one image shows, the gravest first. `confined`: to a region."""
    if not succeeded and result.gradient == "zero" and not attack.black_box:
        return (_flat(),)
    findings = [] if succeeded else [_not_fooled(result, attack, confined)]
    if attack.kappa and not result.stopped and not result.succeeded.all():
        findings = [_not_so_sure(attack)]
    if {*knobs(attack)} >= WEIGHING and not result.stopped:
        findings += _badly_weighed(result, attack)
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
    missed = "The network was not fooled." if result.targets is None else "The target was not reached."
    if confined:
        return Finding(missed, "too few pixels may change, or none by enough", "a larger region")
    if attack.max_change < 1:
        more = tuple(Cure("max_change", each) for each in _times(attack, "max_change"))
        return Finding(missed, "no pixel may change by enough", "more as the largest change", more)
    known, causes = knobs(attack), []
    cures = [*_near(attack, WEIGHING & {*known}), *_looser(attack)]
    if "tau" in known:
        causes.append("τ is too aggressive")
    if {"box", "eps"} <= {*known}:
        causes.append("the box is too tight for ε")
    causes = causes or ["the network withstands what the attack may try"]
    if attack.max_pixels is not None:
        causes.append("too few pixels are allowed")
    if result.targets is None:
        return Finding(missed, _either(*causes), "another attack", tuple(cures))
    far = "the target is far from what the picture shows"
    return Finding(missed, _either(far, *causes), "any wrong class instead of a target", tuple(cures))


def _not_so_sure(attack: Attack) -> Finding:
    less = tuple(Cure("kappa", attack.kappa / times) for times in STRONGER)
    missed = f"No wrong class leads by κ = {attack.kappa:g} logits."
    return Finding(missed, "the network is never that sure of one", "a smaller κ", less)


def _looser(attack: Attack) -> Iterable[Cure]:
    """What gives an attack more room, of the knobs that it has and that are not at their slider's end."""
    known = knobs(attack)
    if "box" in known and attack.box != "sign-aware":
        yield Cure("box", "sign-aware")
    counts = [name for name in attack.main if isinstance(known[name].default, int)]
    for name in (*counts, *(each for each in ("eps",) if each in known)):
        yield from (Cure(name, value) for value in _times(attack, name))
    if attack.max_pixels is not None:
        for times in STRONGER:
            yield Cure("max_pixels", times * attack.max_pixels)


def _times(attack: Attack, name: str) -> list[Any]:
    """Multiples of what a knob stands at, between the ends of its slider."""
    low, high = knobs(attack)[name].slider
    return [value for times in STRONGER if low < (value := times * getattr(attack, name)) < high]


def _near(attack: Attack, names: Iterable[str]) -> list[Cure]:
    """The stops next to where these knobs stand, and their defaults; never the end of a slider."""
    found = []
    for name, knob in knobs(attack).items():
        if name in names:
            found += [Cure(name, value) for value in _stops_near(knob, getattr(attack, name))]
    return found


def _stops_near(knob: Knob, value: float) -> list[float]:
    low, high = knob.slider
    inside = sorted({stop for stop in STOPS.get(knob.name, ()) if low < stop < high})
    below, above = [stop for stop in inside if stop < value], [stop for stop in inside if stop > value]
    return sorted({*below[-NEAR:], *above[:NEAR], knob.default} - {value})


def _badly_weighed(result: AttackResult, attack: Attack) -> list[Finding]:
    """How the weights of the optimised stage went wrong."""
    findings = []
    height, width = result.images.shape[2:]
    n_pixels = int(result.stage_pixels()["optimised"])
    trace = result.trace.n_pixels[:, 0]
    if n_pixels > MANY_PIXELS * height * width:
        stuck = n_pixels > STUCK_PIXELS * height * width and len(trace) > 0 and n_pixels >= DENSE * int(trace[0])
        findings.append(
            Finding(
                f"The optimised stage still changes {n_pixels:,} of {height * width:,} pixels"
                + (": it stays at the dense start." if stuck else "."),
                "the pull on the weights and the loss are out of balance"
                if stuck
                else "the weights are pulled too little, or too evenly",
                cures=tuple(_near(attack, WEIGHING)),
            )
        )
    if _unsettled(result):
        findings.append(
            Finding(
                "The loss jumps and never settles.",
                "the normal is too sharp for the step",
                cures=(*_near(attack, ["a"]), *_gentler(attack)),
            )
        )
    return findings


def _gentler(attack: Attack) -> Iterable[Cure]:
    low, _ = knobs(attack)["step_size"].slider
    for share in STRONGER:
        if attack.step_size / share > low:
            yield Cure("step_size", attack.step_size / share)
    if attack.schedule != "annealed":
        yield Cure("schedule", "annealed")


def _unsettled(result: AttackResult) -> bool:
    loss = result.trace.loss[:, 0]
    late = loss[len(loss) // 2 :]
    extent = float(loss.max() - loss.min()) if len(loss) else 0.0
    return len(late) > 2 and extent > 0 and float(late.diff().abs().mean()) > UNSETTLED * extent


def _either(*parts: str) -> str:
    """One, or another, or a third."""
    *first, last = parts
    return f"{', '.join(first)} or {last}" if first else last
