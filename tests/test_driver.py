"""The driver: what every attack gets from it, whatever the network is and however its steps are run."""

import dataclasses
import logging
import threading

import pytest
import torch
from modes import NoDoublePrecision
from torch import nn

from explorer import SparseAttack, load_classifier
from explorer.attacks import ATTACKS, PGD0, Greedy, RandomSearch, SigmaZero, SparseFool, SparsePGD, capture, driver
from explorer.attacks.books import Books, Progress
from explorer.attacks.capture import Blindfold, begun
from explorer.attacks.loop import run_stage
from explorer.attacks.moves import single_reversals
from explorer.attacks.problem import Problem
from explorer.attacks.pruning import Pruning
from explorer.attacks.randomness import keys_of, uniform
from explorer.grid import changed_pixels, to_grid
from explorer.memory import room_for, saved_for_backward
from explorer.numerics import margins
from explorer.samples import gallery

QUICK = {
    "sparse": SparseAttack(steps=12),
    "greedy": Greedy(steps=12),
    "random": RandomSearch(queries=40, k=12),
    "sigma-zero": SigmaZero(steps=30, prune=True, polish=True),
    "sparsefool": SparseFool(steps=6, dense_steps=5),
    "pgd0": PGD0(k=6, steps=6, restarts=2, smallest=True),
    "sparse-pgd": SparsePGD(k=6, steps=10, smallest=True),
}
SIZE = 8


def small(classes: int = 4, seed: int = 0) -> nn.Module:
    """A network for pictures of 8 x 8 pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6 * SIZE**2, classes)
        )
        network[1].running_mean.normal_()
        network[1].running_var.uniform_(0.5, 2)
    return network.eval()


def pictures(n: int = 3, seed: int = 0) -> torch.Tensor:
    return to_grid(torch.rand(n, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)))


def problem_for(network, images, peeks=True, **changes) -> Problem:
    with torch.no_grad():
        labels = network(images).argmax(1)
    whole = {"low": torch.zeros_like(images), "high": torch.ones_like(images), "targets": None, "width": SIZE**2}
    return Problem(network.requires_grad_(False), images, labels, **whole | {"peeks": peeks, **changes})


def run_all(attack, problem) -> list[torch.Tensor]:
    """The best images after each stage, as the driver runs them."""
    books, found = Books(problem, attack.rounds), []
    progress = Progress(problem, books, 10**6, None)
    with torch.no_grad():
        for stage in (attack, Pruning(), dataclasses.replace(attack.polishing[-1], swaps=4, kicks=1)):
            run_stage(stage, problem, books, progress, first=stage is attack)
            found.append(books.best.clone())
    return found


def replays_what_it_finds(attack, network, batches: int) -> None:
    """Step by step and on the buffers of a graph, the images after each stage are the same, batch after batch."""
    for seed in range(batches):
        images = pictures(4, seed)
        peeking = run_all(attack, problem_for(network, images))
        replayed = run_all(attack, problem_for(network, images, peeks=False))
        for one, other in zip(peeking, replayed, strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("unit", ["pixel", "entry"])
@pytest.mark.parametrize("name", ATTACKS)
def test_start_and_step_can_be_captured(name, unit):
    """Neither reads a value on the host, unless it may peek; shapes stay; and every entry is there from the start."""
    problem = problem_for(small(), pictures(), peeks=False, unit=unit)
    attack = dataclasses.replace(QUICK[name], unit=unit)
    for stage in (attack, Pruning(), attack.polishing[-1]):
        with torch.no_grad():
            t = torch.zeros((), dtype=torch.int64)
            with Blindfold():
                state = begun(stage, problem, problem.images)
                new = stage.step(problem, state, t)
                again = stage.step(problem, new, t + 1)
        assert {k: (v.shape, v.dtype) for k, v in state.items()} == {k: (v.shape, v.dtype) for k, v in again.items()}


@pytest.mark.parametrize(
    "look",
    [
        lambda values: values.sum().item(),
        lambda values: values.nonzero(),
        lambda values: values[values > 0],
        lambda values: values.to("meta"),
        lambda values: values.sum().to("meta"),
    ],
)
def test_a_look_from_the_host_is_found_before_anything_is_captured(look):
    with pytest.raises(RuntimeError), Blindfold():
        look(torch.ones(3))


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_needs_double_precision(name):
    """As on Apple's GPU, which has none."""
    network, images = small(), pictures()
    labels = network(images).argmax(1)
    expected = QUICK[name](network, images, labels)
    with NoDoublePrecision():
        result = QUICK[name](network, images, labels)
    assert torch.equal(result.adversarial, expected.adversarial)


@pytest.mark.parametrize("name", ATTACKS)
def test_replayed_steps_find_what_single_steps_find(name, monkeypatch):
    """The buffers that a graph works on, replayed without one: the same pictures, also for the next batch."""
    monkeypatch.setattr(capture.Captured, "record", lambda self: None)
    network = small()
    replays_what_it_finds(QUICK[name], network, batches=3)
    assert 0 < len(capture._kept[network]) <= 3, "one per stage, used again for the next batch"


@pytest.mark.parametrize("name", ["sparse", "greedy"])
def test_a_start_that_cannot_be_captured_is_made_step_by_step(name, monkeypatch):
    def record(self, body):
        if body == self._begin:
            raise RuntimeError("a start that looks at values")

    monkeypatch.setattr(capture.Captured, "_record", record)
    replays_what_it_finds(QUICK[name], small(), batches=2)


def test_a_captured_start_is_not_made_again(monkeypatch):
    monkeypatch.setattr(capture.Captured, "record", lambda self: None)
    started, start = [], Greedy.start
    monkeypatch.setattr(Greedy, "start", lambda self, *given: started.append(1) or start(self, *given))
    network = small()
    run_all(QUICK["greedy"], problem_for(network, pictures(), peeks=False))
    started.clear()
    run_all(QUICK["greedy"], problem_for(network, pictures(), peeks=False))
    assert len(started) == 1


def test_graphs_go_with_their_network(monkeypatch):
    monkeypatch.setattr(capture.Captured, "record", lambda self: None)
    network, before = small(), len(capture._kept)
    run_all(QUICK["greedy"], problem_for(network, pictures(), peeks=False))
    assert len(capture._kept) == before + 1
    del network
    assert len(capture._kept) == before


def test_moved_weights_are_captured_anew(monkeypatch):
    monkeypatch.setattr(capture.Captured, "record", lambda self: None)
    network = small()
    stage, problem = QUICK["greedy"], problem_for(network, pictures(), peeks=False)
    run_all(stage, problem)
    count = len(capture._kept[network])
    network[4].weight = nn.Parameter(network[4].weight.flip(0).clone(), requires_grad=False)
    run_all(stage, problem_for(network, pictures(), peeks=False))
    assert len(capture._kept[network]) > count


def test_what_cannot_be_captured_runs_step_by_step_and_says_so(monkeypatch, caplog):
    def fail(self):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(capture.Captured, "record", fail)
    network, images = small(), pictures()
    with caplog.at_level(logging.WARNING):
        found = run_all(QUICK["sparse"], problem_for(network, images, peeks=False))
    assert "steps run one by one" in caplog.text
    assert "more" not in caplog.text
    for one, other in zip(found, run_all(QUICK["sparse"], problem_for(network, images)), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_network_in_training_mode_keeps_its_statistics(name):
    network, images = small(), pictures()
    labels = network(images).argmax(1)
    expected = QUICK[name](network, images, labels)
    network.train()
    kept = {key: value.clone() for key, value in network.state_dict().items()}
    result = QUICK[name](network, images, labels)
    assert result.was_training
    assert not expected.was_training
    assert all(module.training for module in network.modules())
    assert all(torch.equal(value, kept[key]) for key, value in network.state_dict().items())
    assert torch.equal(result.adversarial, expected.adversarial)
    assert torch.equal(result.succeeded, network.eval()(result.adversarial).argmax(1) != labels)


@pytest.mark.parametrize("forbidding", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", ATTACKS)
def test_the_callers_modes_change_nothing(name, forbidding):
    network, images = small(), pictures()
    labels = network(images).argmax(1)
    expected = QUICK[name](network, images, labels)
    with forbidding():
        result = QUICK[name](network, images.clone(), labels.clone())
    assert torch.equal(result.adversarial, expected.adversarial)
    assert not result.adversarial.is_inference()


class Gamma(nn.Module):
    """To a power and back: an infinite slope at 0."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images.pow(1 / 2.2).pow(2.2))


@pytest.mark.parametrize("name", ["sparse", "greedy", "sigma-zero", "sparsefool", "sparse-pgd"])
def test_a_gradient_that_is_not_finite_is_left_alone(name):
    clf = load_classifier("signs-resnet", device="cpu")
    sign = gallery()[0]
    image = sign.image.clone()
    image[:, :2] = 0  # the slope is infinite here
    result = QUICK[name](Gamma(clf), image[None], torch.tensor([sign.label]))
    assert result.gradient == "not finite"
    assert torch.isfinite(result.adversarial).all()
    assert result.succeeded.all()


def test_a_network_without_slope_is_told_apart():
    class Rounding(nn.Module):
        def forward(self, images):
            return torch.stack([images.mul(255).round().flatten(1)[:, 0], images.flatten(1)[:, 1] * 0 + 100], 1)

    image = torch.full((1, 3, SIZE, SIZE), 0.2)
    result = SparseAttack(steps=3)(Rounding(), image, torch.tensor([1]))
    assert result.gradient == "zero"
    assert not result.succeeded.any()
    found = RandomSearch(queries=500, k=20)(Rounding(), image, torch.tensor([1]))
    assert found.succeeded.all()
    assert found.n_pixels.item() == 1, "only one pixel is looked at"


class Raising(torch.autograd.Function):
    """The identity, whose gradient raises."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("nobody may ask for this gradient")


def black_box(network):
    return lambda images: network(Raising.apply(images))


def test_random_search_asks_for_no_gradient():
    network, images = small(), pictures()
    labels = network(images).argmax(1)
    attack = RandomSearch(queries=400, k=30)
    result = attack(black_box(network), images, labels)
    assert result.succeeded.all()
    assert result.gradient == "unused"
    assert torch.equal(result.adversarial, attack(network, images, labels).adversarial)
    outside = attack(lambda images: torch.from_numpy(network(images).detach().numpy().copy()), images, labels)
    assert torch.equal(outside.adversarial, result.adversarial)
    for other in (SparseAttack(), Greedy(), SigmaZero()):
        with pytest.raises(ValueError, match=r"must give gradients.*nobody may ask.*random search"):
            other(black_box(network), images, labels)


def test_random_search_needs_as_many_pixels_as_it_changes():
    region = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    region[0, :5] = True
    with pytest.raises(ValueError, match="region must hold at least 24 pixels; got 5"):
        RandomSearch()(small(), pictures(), torch.zeros(3, dtype=torch.int64), region=region)


def test_the_last_stage_finds_what_gradients_miss():
    """A network whose gradient points away from the only pixel that matters: random search finds it all the same."""

    class Misleading(nn.Module):
        def forward(self, images):
            flat = images.flatten(1)
            seen = (flat[:, 40] > 0.9).float() * 5 - flat[:, 40] * 0.1  # a cliff behind a slope the other way
            score = 3 - flat[:, 64:96].sum(1) * 0.3 - seen
            return torch.stack([score, torch.zeros_like(score)], 1)

    images = torch.zeros(1, 3, SIZE, SIZE)
    labels = torch.tensor([0])
    plain = SparseAttack(steps=30)(Misleading(), images, labels)
    random = SparseAttack(steps=30, random_queries=2000)(Misleading(), images, labels)
    assert plain.succeeded.all()
    assert list(random.stages) == ["optimised", "pruned", "polished", "random"]
    assert random.stage_pixels()["polished"] == plain.n_pixels
    assert random.n_pixels < plain.n_pixels
    assert random.succeeded.all()


def test_no_refined_picture_that_does_not_fool_replaces_one_that_does():
    """A network that is a little firmer with more pictures at once, as with TF32: pruning and polishing, which judge
    other numbers of pictures, go too far for what the caller sees.
    """

    class Firmer(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small()

        def forward(self, images):
            logits = self.network(images)
            alone = 0.0 if len(images) == 6 else 1.0
            return logits - alone * nn.functional.one_hot(self.labels[:1], 4) * 0.6

    network, images = Firmer(), pictures(6)
    network.labels = torch.zeros(1, dtype=torch.int64)
    labels = torch.zeros(6, dtype=torch.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explorer.adapter.SAME", 10.0)
        result = SparseAttack(steps=40, loss="cross-entropy")(network, images, labels)
    with torch.no_grad():
        seen = {name: network(stage).argmax(1) != labels for name, stage in result.stages.items()}
    assert torch.equal(result.succeeded, seen["polished"])
    assert (seen["polished"] | ~seen["optimised"]).all(), "what fooled first still fools"


@pytest.mark.parametrize("name", ATTACKS)
def test_settings_of_the_process_come_back(name):
    network, images = small(), pictures()
    labels = network(images).argmax(1)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    seen = []
    try:
        QUICK[name](network, images, labels, on_step=lambda step: seen.append(torch.get_float32_matmul_precision()))
        with pytest.raises(ZeroDivisionError):
            QUICK[name](network, images, labels, on_step=lambda step: 1 / 0)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert set(seen) == {"highest"}
    assert not network.training
    assert torch.backends.cudnn.benchmark is False


def test_two_threads_may_share_a_network():
    network, images = small(), pictures(4)
    labels = network(images).argmax(1)
    expected = [SparseAttack(steps=30, seed=seed)(network, images, labels).adversarial for seed in range(4)]
    found = [None] * 4
    network.train()

    def work(seed):
        found[seed] = SparseAttack(steps=30, seed=seed)(network, images, labels).adversarial

    threads = [threading.Thread(target=work, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", ATTACKS)
def test_region_and_limit_are_a_box(name):
    network, images = small(), pictures()
    labels = network(images).argmax(1)
    region = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    region[2:6, 1:7] = True
    attack = dataclasses.replace(QUICK[name], max_change=0.3)
    result = attack(network, images, labels, region=region)
    assert not (changed_pixels(images, result.adversarial) & ~region).any()
    assert ((result.adversarial - images).abs() * 255).round().max() <= int(0.3 * 255)
    each = attack(network, images, labels, region=region.expand(3, -1, -1))
    assert torch.equal(each.adversarial, result.adversarial)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_wrong_class_leads_by_kappa_or_the_picture_does_not_count(name):
    network, images = small(), pictures(6)
    labels = network(images).argmax(1)
    least = QUICK[name](network, images, labels)
    lead = -margins(network(least.adversarial), labels)[least.succeeded].median().item()
    sure = dataclasses.replace(QUICK[name], kappa=lead)(network, images, labels)
    leads = -margins(network(sure.adversarial), labels)
    assert sure.succeeded.any()
    assert torch.equal(sure.succeeded, leads > lead)
    never = dataclasses.replace(QUICK[name], kappa=1000)(network, images, labels)
    assert not never.succeeded.any()


def test_more_lead_takes_more_pixels():
    network, images = small(), pictures(6)
    labels = network(images).argmax(1)
    counts = [Greedy(kappa=kappa)(network, images, labels) for kappa in (0.0, 0.2, 0.4)]
    assert all(result.succeeded.all() for result in counts)
    means = [result.n_pixels.float().mean() for result in counts]
    assert means[0] < means[1] < means[2]


def test_margins_are_told_without_kappa():
    """What the trace and the caller see is the network's margin, whatever lead is asked for."""
    network, images = small(), pictures()
    labels = network(images).argmax(1)
    heard = []

    def on_step(step) -> None:
        heard.append((step.margin.clone(), margins(network(step.current), labels)))

    result = Greedy(steps=1, kappa=3.0, prune=False, polish=False)(network, images, labels, on_step=on_step)
    assert torch.allclose(result.trace.margin[0], margins(network(images), labels), atol=1e-5)
    assert heard
    assert all(torch.allclose(told, found, atol=1e-5) for told, found in heard)


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (torch.zeros(SIZE, SIZE, dtype=torch.bool), "at least one pixel where changes are allowed"),
        (torch.ones(4, 4, dtype=torch.bool), r"shape \(8, 8\) or \(3, 8, 8\); got torch.bool \(4, 4\)"),
        (torch.ones(SIZE, SIZE), r"bool tensor.*got torch.float32"),
        ("sign", "got str"),
    ],
)
def test_a_region_that_does_not_fit_is_a_sentence(region, message):
    with pytest.raises(ValueError, match=message):
        SparseAttack()(small(), pictures(), torch.zeros(3, dtype=torch.int64), region=region)


def test_one_stop_ends_all_parts(monkeypatch):
    monkeypatch.setattr(driver, "room_for", lambda images, n_bytes: driver.Room(2, 2))
    network, images = small(), pictures(6)
    asked = []

    def once(step):
        asked.append(step)
        return len(asked) == 2

    result = SparseAttack(steps=12)(network, images, network(images).argmax(1), on_step=once)
    assert result.stopped
    assert len(asked) == 2
    assert len(result.adversarial) == 6


def test_random_search_uses_a_region_to_the_full():
    network, images = small(), pictures()
    region = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    region[:2] = True
    labels = network(images).argmax(1)
    seen = []
    attack = RandomSearch(queries=30, k=16, prune=False)
    attack(network, images, labels, region=region, on_step=lambda step: seen.append(step.current))
    changed = torch.stack([changed_pixels(images, each).flatten(1).sum(1) for each in seen])
    assert (changed >= 15).all(), "all of the region, in other colours"
    assert len({tuple(each.flatten().tolist()) for each in seen}) > 1


@pytest.mark.parametrize("name", ATTACKS)
def test_a_picture_that_is_mistaken_already_needs_no_change(name):
    network, images = small(), pictures()
    labels = (network(images).argmax(1) + 1) % 4
    result = QUICK[name](network, images, labels)
    assert result.succeeded.all()
    assert (result.n_pixels == 0).all()


def test_a_callable_that_cannot_be_told_from_others_is_a_sentence():
    @dataclasses.dataclass
    class Net:
        def __call__(self, images):
            return images

    with pytest.raises(ValueError, match=r"must be a torch module or a function.*got Net"):
        RandomSearch()(Net(), pictures(), torch.zeros(3, dtype=torch.int64))


def test_numbers_are_drawn_alike_everywhere():
    """A pure function of picture, step and place: golden values, and no more than chance between streams."""
    keys = keys_of(pictures(2), seed=3)
    drawn = uniform(keys, torch.tensor(5), 1000)
    assert torch.equal(drawn, uniform(keys, 5, 1000))
    assert torch.equal(drawn[:1], uniform(keys_of(pictures(2)[:1], seed=3), 5, 1000))
    assert 0 <= drawn.min() < 0.01
    assert 0.99 < drawn.max() < 1
    for other in (uniform(keys, 6, 1000), uniform(keys, 5, 1000, stream=1), uniform(keys_of(pictures(2)), 5, 1000)):
        assert torch.corrcoef(torch.stack([drawn[0], other[0]]))[0, 1].abs() < 0.15
    assert abs(uniform(keys, 0, 100_000).mean().item() - 0.5) < 0.01
    assert uniform(torch.tensor([42]), 7, 3).tolist() == GOLDEN


GOLDEN = [[0.47833776473999023, 0.16835343837738037, 0.7715728878974915]]


def test_room_is_what_the_device_has_and_the_network_takes(monkeypatch):
    network, images = small().requires_grad_(False), pictures()
    with torch.enable_grad(), saved_for_backward(network) as kept:
        network(images[:1].clone().requires_grad_())
    values = SIZE**2 * 6 * 4  # bytes of one activation
    assert values <= kept.n_bytes <= 4 * values
    monkeypatch.setattr("explorer.memory.free_bytes", lambda device: 20 * kept.n_bytes)
    assert room_for(images, kept.n_bytes).in_all == 10
    monkeypatch.setattr("explorer.memory.free_bytes", lambda device: 0)
    assert room_for(images, kept.n_bytes).at_once == 1
    monkeypatch.setattr(driver, "room_for", lambda images, n_bytes: driver.Room(2, 2))
    labels = network(images).argmax(1)
    parts = SparseAttack(steps=12)(network, images, labels)
    monkeypatch.undo()
    assert torch.equal(parts.adversarial, SparseAttack(steps=12)(network, images, labels).adversarial)


def test_the_table_of_reversals_is_the_same_padded():
    network, images = small(), pictures()
    peeking = problem_for(network, images)
    adversarial = images.clone()
    adversarial[:, :, ::3, ::2] = 1 - adversarial[:, :, ::3, ::2]
    with torch.no_grad():
        table = single_reversals(peeking, adversarial)
        padded = single_reversals(dataclasses.replace(peeking, peeks=False, width=32), adversarial)
    assert torch.equal(table.isinf(), padded.isinf())
    assert torch.equal(table.isinf(), ~peeking.changed(adversarial))
    torch.testing.assert_close(table, padded)
