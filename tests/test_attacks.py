"""Attacks: an analytic oracle, a contract for every entry of the registry, and what their knobs promise."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import SigmaZero, SparseAttack, load_classifier
from explorer.attacks import ATTACKS
from explorer.attacks.books import Books, Progress
from explorer.attacks.loop import run_stage
from explorer.attacks.moves import single_reversals
from explorer.attacks.polishing import Polishing
from explorer.attacks.problem import Problem
from explorer.attacks.pruning import Pruning
from explorer.grid import changed_values, to_grid
from explorer.knobs import knobs
from explorer.numerics import margins
from explorer.samples import gallery

SIZE = 8
QUICK = {
    "sparse": {"steps": 30},
    "sigma-zero": {"steps": 60},
    "greedy": {},
    "random": {"queries": 60},
    "sparsefool": {"lam": 1.0, "steps": 8},
    "pgd0": {"steps": 10, "restarts": 2, "smallest": True},
    "sparse-pgd": {"steps": 20, "smallest": True},
}


class Linear(torch.nn.Module):
    """Two classes, logits (0, -w.(x - 1/2) + b): the fewest pixels that flip it are known."""

    def __init__(self, seed: int, bias: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = torch.nn.Parameter(torch.randn(3, SIZE, SIZE, generator=generator))
        self.bias = bias

    def forward(self, images):
        score = (images * self.weight).flatten(1).sum(1) + self.bias
        return torch.stack([torch.zeros_like(score), score], 1)


def linear_case(seed: int, n_images: int = 4, needed: float = 4.0):
    """A linear network and images of class 1 whose margins need several pixels to be undone."""
    generator = torch.Generator().manual_seed(1000 + seed)
    images = to_grid(torch.rand(n_images, 3, SIZE, SIZE, generator=generator))
    network = Linear(seed, 0.0)
    with torch.no_grad():
        scores = network(images)[:, 1]
        network.bias = needed - scores.min().item()
    return network, images, torch.ones(n_images, dtype=torch.int64)


def fewest(network: Linear, images, unit: str):
    """The least number of units that flips each image, found greedily: for a linear network that is exact."""
    weight = network.weight.detach()
    fall = torch.where(weight > 0, weight * images, -weight * (1 - images))  # of the margin, at the end of the box
    fall = fall.sum(1).flatten(1) if unit == "pixel" else fall.flatten(1)
    margin = network(images).detach()[:, 1]
    left = margin[:, None] - fall.sort(descending=True).values.cumsum(1)
    return (left >= 0).sum(1) + 1


def count_units(images, adversarial, unit: str):
    changed = changed_values(images, adversarial)
    return (changed.any(1) if unit == "pixel" else changed).flatten(1).sum(1)


VARIANTS = {
    "default": ({}, 1.3),
    "unrefined": ({"prune": False, "polish": False}, 4),
    "pruned": ({"polish": False}, 2),
    "paper-box": ({"box": "paper"}, 1.5),
    "sigmoid": ({"surrogate": "sigmoid"}, 1.5),
    "soft": ({"threshold": "soft"}, 1.5),
    "entries": ({"unit": "entry"}, 1.5),
    "cross-entropy": ({"loss": "cross-entropy"}, 1.5),
    "constant-a": ({"schedule": "constant"}, 1.5),
    "random-start": ({"seed": 3}, 1.5),
    "targeted": ({}, 1.3),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_linear_oracle(variant):
    """Never below the optimum, and within a stated factor of it."""
    changes, factor = VARIANTS[variant]
    for seed in range(3):
        network, images, labels = linear_case(seed)
        attack = SparseAttack(**changes)
        result = attack(network, images, labels, torch.zeros_like(labels) if variant == "targeted" else None)
        best = fewest(network, images, attack.unit)
        found = count_units(images, result.adversarial, attack.unit)
        assert result.succeeded.all()
        assert (found >= best).all(), f"below the optimum: {found.tolist()} < {best.tolist()}"
        assert found.sum() <= factor * best.sum(), f"{found.tolist()} against {best.tolist()}"


def test_linear_oracle_of_the_paper_preset():
    """The tanh box allows half of the range at most, so it needs more; but it is never below the optimum."""
    network, images, labels = linear_case(0, n_images=1, needed=1.0)
    result = SparseAttack.paper()(network, images, labels)
    assert result.succeeded.all()
    assert (result.n_entries >= fewest(network, images, "entry")).all()
    assert (result.n_entries < images[0].numel()).all()


@pytest.mark.parametrize("unit", ["pixel", "entry"])
def test_linear_oracle_of_sigma_zero(unit):
    network, images, labels = linear_case(1)
    result = SigmaZero(steps=300, unit=unit)(network, images, labels)
    best = fewest(network, images, unit)
    found = count_units(images, result.adversarial, unit)
    assert result.succeeded.all()
    assert (found >= best).all()
    assert found.sum() <= 2 * best.sum()


@pytest.fixture(scope="module")
def signs():
    network = load_classifier("signs-resnet", device="cpu")
    samples = gallery()[:54:6]
    return network, torch.stack([s.image for s in samples]), torch.tensor([s.label for s in samples])


@pytest.mark.parametrize("name", ATTACKS)
class TestContract:
    """What every attack of the registry keeps."""

    def test_result_is_judged_on_the_8_bit_grid(self, name, signs):
        network, images, labels = signs[0], signs[1][:3], signs[2][:3]
        result = ATTACKS[name](**QUICK[name])(network, images, labels)
        assert result.adversarial.shape == images.shape
        assert torch.equal(to_grid(result.adversarial), result.adversarial)
        assert result.adversarial.min() >= 0
        assert result.adversarial.max() <= 1
        with torch.no_grad():
            predicted = network(result.adversarial).argmax(1)
        assert torch.equal(result.adversarial_labels, predicted)
        assert torch.equal(result.succeeded, predicted != labels)
        assert (result.n_pixels <= result.n_entries).all()
        assert torch.equal(list(result.stage_pixels().values())[-1], result.n_pixels)
        assert result.trace.margin.shape[1] == 3
        assert len(result.trace.margin) <= ATTACKS[name](**QUICK[name]).rounds

    def test_same_input_same_result(self, name, signs):
        network, images, labels = signs[0], signs[1][:2], signs[2][:2]
        attack = ATTACKS[name](**QUICK[name])
        assert torch.equal(attack(network, images, labels).adversarial, attack(network, images, labels).adversarial)

    def test_leaves_no_trace(self, name, signs):
        images = signs[1][:1].clone()
        network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Dropout(), torch.nn.Flatten())
        network.append(torch.nn.Linear(4 * 62 * 62, 3)).train()
        network.eval()
        before = images.clone()
        label = network(images).argmax(1).detach()
        ATTACKS[name](**{ATTACKS[name].main[0] if "steps" not in knobs(ATTACKS[name]) else "steps": 3})(
            network, images, label
        )
        assert torch.equal(images, before)
        assert not images.requires_grad
        assert all(p.grad is None and p.requires_grad for p in network.parameters())
        assert not any(m.training or m._forward_hooks or m._backward_hooks for m in network.modules())

    def test_stops_when_asked(self, name, signs):
        seen = []

        def stop_at_five(step):
            seen.append(step)
            return step.done == 5

        result = ATTACKS[name](**QUICK[name])(signs[0], signs[1][:1], signs[2][:1], on_step=stop_at_five)
        assert result.stopped
        assert len(seen) == 5
        assert list(result.stages) == ["optimised"]
        assert seen[0].total >= ATTACKS[name](**QUICK[name]).expected

    def test_progress_never_passes_its_total(self, name, signs):
        seen = []
        ATTACKS[name](**QUICK[name] | {"prune": True, "polish": True})(
            signs[0], signs[1][:1], signs[2][:1], on_step=lambda step: seen.append(step)
        )
        assert [step.done for step in seen] == sorted(step.done for step in seen)
        assert seen[-1].done <= seen[-1].total
        assert {step.stage for step in seen} - {"pruned"} == {"optimised", "polished"}

    def test_float64_network(self, name):
        network, images, labels = linear_case(0)
        result = ATTACKS[name](**QUICK[name])(network.double(), images.double(), labels)
        assert result.adversarial.dtype == torch.float64

    def test_targets(self, name, signs):
        network, images, labels = signs[0], signs[1][:2], signs[2][:2]
        result = ATTACKS[name](**QUICK[name])(network, images, labels, targets=(labels + 3) % 18)
        assert torch.equal(result.succeeded, result.adversarial_labels == (labels + 3) % 18)

    def test_every_knob_has_limits_that_hold(self, name):
        for each in knobs(ATTACKS[name]).values():
            assert each.help.endswith("."), f"{each.name} needs a sentence"
            if each.choices:
                with pytest.raises(ValueError, match=f"{each.name} must be one of"):
                    ATTACKS[name](**{each.name: "nonsense"})
            elif each.low is not None:
                with pytest.raises(ValueError, match=f"{each.name} must lie in"):
                    ATTACKS[name](**{each.name: each.low - 1})

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"images": torch.zeros(3, 8, 8)}, r"shape \(b, 3, h, w\).*got \(3, 8, 8\)"),
            ({"images": torch.zeros(1, 1, 8, 8)}, r"got \(1, 1, 8, 8\)"),
            ({"images": torch.full((1, 3, 8, 8), torch.nan)}, "got NaN"),
            ({"images": torch.full((1, 3, 8, 8), 255.0)}, "got values from 255 to 255"),
            ({"images": torch.zeros(1, 3, 8, 8, dtype=torch.uint8)}, "floating point.*got torch.uint8"),
            ({"labels": torch.tensor([2])}, r"labels must lie in 0\.\.1; got 2\.\.2"),
            ({"labels": torch.tensor([0, 1])}, r"shape \(1,\); got"),
            ({"labels": torch.tensor([0.5])}, "integer tensor"),
            ({"targets": torch.tensor([1])}, "targets must differ from labels"),
            ({"network": lambda x: x.flatten(1)[:, :2].softmax(1)}, "leave the softmax out"),
            ({"network": lambda x: x}, r"logits of shape \(b, k\).*got \(2, 3, 8, 8\)"),
            ({"network": lambda x: x.flatten(1) * torch.nan}, "finite logits"),
        ],
    )
    def test_bad_input_is_one_sentence(self, name, change, message):
        good = {"network": Linear(0, 1.0), "images": torch.zeros(1, 3, 8, 8), "labels": torch.tensor([1])}
        with pytest.raises(ValueError, match=message):
            ATTACKS[name]()(**good | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": 0.0}, r"a must lie in \(0, 10\]; got 0\.0"),
        ({"lam": -1.0}, r"lam must lie in \[0, 1e\+06\]; got -1\.0"),
        ({"tau": 1.0}, r"tau must lie in \[0, 1\); got 1\.0"),
        ({"tau": torch.tensor([0.1, 1.5])}, "got 1.5"),
        ({"a": float("nan")}, "got nan"),
        ({"box": "round"}, "box must be one of 'sign-aware', 'paper'; got 'round'"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        SparseAttack(**change)


def test_one_setting_per_image_must_fit_the_batch():
    network, images, labels = linear_case(0)
    with pytest.raises(ValueError, match=r"a must be a number or a tensor of shape \(4,\); got \(3,\)"):
        SparseAttack(a=torch.full((3,), 0.1))(network, images, labels)


def test_a_grid_of_settings_is_one_batch(signs):
    """Each image of a batch gets its own a, lambda and tau, as if it were alone."""
    network, images, labels = signs
    a, lam, tau = torch.tensor([0.05, 0.1, 0.2]), torch.tensor([0.3, 1.0, 0.5]), torch.tensor([0.05, 0.02, 0.1])
    rough = {"prune": False, "polish": False, "steps": 40}
    together = SparseAttack(a=a, lam=lam, tau=tau, **rough)(
        network, images[:1].repeat(3, 1, 1, 1), labels[:1].repeat(3)
    )
    for i in range(3):
        alone = SparseAttack(a=a[i].item(), lam=lam[i].item(), tau=tau[i].item(), **rough)
        n_pixels = alone(network, images[:1], labels[:1]).n_pixels.item()
        assert abs(n_pixels - together.n_pixels[i].item()) <= max(1, 0.1 * n_pixels)


def test_sliders_do_what_their_sentences_say(signs):
    """Wider a and larger lambda: fewer pixels after the optimised stage; higher tau: more; on 8 of 10 pictures."""
    network = signs[0]
    samples = gallery()[:50:5]
    n = len(samples)
    assert n == 10
    images, labels = torch.stack([s.image for s in samples]), torch.tensor([s.label for s in samples])
    settings_ = torch.tensor([[0.1, 1.0, 0.05], [0.03, 1.0, 0.05], [0.1, 0.1, 0.05], [0.1, 1.0, 0.15]])
    a, lam, tau = settings_.repeat_interleave(n, 0).T
    attack = SparseAttack(a=a, lam=lam, tau=tau, prune=False, polish=False)
    base, narrow, small, high = attack(network, images.repeat(4, 1, 1, 1), labels.repeat(4)).n_pixels.view(4, n)
    assert (narrow > base).sum() >= 8
    assert (small > base).sum() >= 8
    assert (high > base).sum() >= 8


def test_at_most_k_pixels(signs):
    network, images, labels = signs[0], signs[1][3:7], signs[2][3:7]
    result = SparseAttack(max_pixels=6, steps=40)(network, images, labels)
    assert (result.n_pixels <= 6).all()
    assert result.succeeded.any()
    assert torch.equal(result.succeeded, result.adversarial_labels != labels)


def test_failure_is_data_and_shows_the_closest_attempt():
    network, images, labels = linear_case(0, needed=1e4)  # out of reach: the whole box moves the score by less
    result = SparseAttack(steps=5)(network, images, labels)
    assert not result.succeeded.any()
    assert (margins(network(result.adversarial), labels) < margins(network(images), labels)).all()


def test_later_stages_never_need_more(signs):
    network, images, labels = signs[0], signs[1][:3], signs[2][:3]
    result = SparseAttack(steps=40)(network, images, labels)
    counts = list(result.stage_pixels().values())
    assert (counts[1] <= counts[0]).all()
    assert (counts[2] <= counts[1]).all()


def problem_of(network, images, labels, unit="pixel") -> Problem:
    return Problem(network, images, labels, None, torch.zeros_like(images), torch.ones_like(images), unit)


def refined(stage, problem, adversarial):
    """What a later stage makes of adversarial images."""
    books = Books(problem, 1)
    with torch.no_grad():
        margin = problem.margin(adversarial)
        books.note(problem, {"candidate": adversarial, "margin": margin}, None, None)
        run_stage(stage, problem, books, Progress(problem, books, 1, None), first=False)
    return books.best


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["pixel", "entry"]))
def test_pruned_images_have_nothing_to_spare(seed, unit):
    """No changed unit can be taken back alone, whatever was pruned."""
    network, images, labels = linear_case(seed, needed=2.0)
    problem = problem_of(network, images, labels, unit)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(images.shape, generator=generator) < 0.3
    end = (network.weight < 0).float().expand_as(images)
    adversarial = to_grid(torch.where(noise, end, images))
    pruned = refined(Pruning(), problem, adversarial)
    fooled = problem.margin(adversarial) < 0
    assert torch.equal(problem.margin(pruned) < 0, fooled)
    assert torch.equal(pruned[~fooled], adversarial[~fooled])
    left = single_reversals(problem, pruned)[fooled]
    assert (left >= 0).all()


def test_polishing_returns_what_it_cannot_improve():
    network, images, labels = linear_case(2)
    best = SparseAttack()(network, images, labels)
    again = refined(Polishing(), problem_of(network, images, labels), best.adversarial)
    assert (count_units(images, again, "pixel") <= best.n_pixels).all()
    assert (margins(network(again), labels) < 0).all()


def test_presets_differ_where_the_paper_does():
    paper = SparseAttack.paper()
    assert (paper.box, paper.unit, paper.gradient, paper.loss) == ("paper", "entry", "raw", "cross-entropy")
    assert not paper.prune
    assert not paper.polish
    assert SparseAttack.paper(lam=1e-2).lam == 1e-2
    assert dataclasses.replace(
        paper, **{f.name: getattr(SparseAttack(), f.name) for f in dataclasses.fields(paper)}
    ) == (SparseAttack())
