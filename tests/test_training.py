"""Training is repeatable, can be interrupted, and writes what the loader reads."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from explorer.__main__ import main
from explorer.attacks import SparsePGD
from explorer.classifiers.bundled import load_bundled, read_manifest
from explorer.classifiers.networks import ARCHITECTURES
from explorer.commands import evaluate as evaluate_command
from explorer.commands import train as train_command
from explorer.fetching import FetchFailed
from explorer.images import to_png
from explorer.samples import Cifar10, RoadSigns
from explorer.samples import cifar10 as sample_cifar
from explorer.samples.renders import TRAINING_SEEDS, UNSEEN_SEEDS
from explorer.signs import CLASS_NAMES, Scene, render
from explorer.training import (
    RECIPES,
    Evaluation,
    Pictures,
    Recipe,
    SparseAccuracy,
    evaluate,
    evaluation,
    train,
)
from explorer.training.epochs import mixed, rate
from explorer.training.pictures import shift_and_mirror

TINY = Recipe(
    "resnet",
    {"stem": 4, "stem_stride": 2, "widths": [8], "blocks": [1], "strides": [2]},
    epochs=2,
    renders=72,
    batch=24,
    label_smoothing=0.0,
)
RECIPES_BY_KIND = {
    "plain": TINY,
    "adversarial": replace(TINY, eps=RoadSigns.eps, attack_steps=1),
    "in two cycles": replace(TINY, epochs=1, second_cycle=1),
    "mixed in the end": replace(TINY, epochs=1, second_cycle=1, mixup=48),
    "sparse": replace(TINY, architecture="preact_resnet", sparse=2),
}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "signs-resnet.safetensors")


@pytest.mark.parametrize("kind", RECIPES_BY_KIND)
def test_a_resumed_training_ends_like_an_uninterrupted_one(kind, tmp_path, monkeypatch):
    recipe = RECIPES_BY_KIND[kind]
    monkeypatch.setattr(evaluation, "sparse_attacks", lambda k: {"sparse-pgd": SparsePGD(k=k, steps=5)})  # for time
    options = {"seed": 3, "device": "cpu", "recipe": recipe, "n_evaluate": 36}
    through = train("signs-resnet", out=tmp_path / "through", **options)
    assert train("signs-resnet", out=tmp_path / "parts", stop_after=1, **options) is None
    assert (tmp_path / "parts" / "signs-resnet.checkpoint").exists()
    resumed = train("signs-resnet", out=tmp_path / "parts", resume=True, **options)
    assert not (tmp_path / "parts" / "signs-resnet.checkpoint").exists()

    assert resumed == through
    assert (through.robust_accuracy is not None) == (kind == "adversarial")
    assert (through.sparse is not None) == (kind == "sparse")
    torch.testing.assert_close(weights(tmp_path / "parts"), weights(tmp_path / "through"), rtol=1e-4, atol=1e-5)

    classifier = load_bundled("signs-resnet", tmp_path / "through")
    assert classifier(torch.rand(1, 3, 64, 64)).shape == (1, len(CLASS_NAMES))
    entry = read_manifest(tmp_path / "through")["signs-resnet"]
    assert entry.accuracy == through.accuracy
    measured = evaluate("signs-resnet", "cpu", 36, 0, tmp_path / "through")
    assert (measured.accuracy, measured.sparse) == (through.accuracy, through.sparse)
    assert entry.sparse_accuracy == (through.sparse and through.sparse.accuracy)


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04", {"identity": 3}, [1, 2]], ids=range(5))
def test_what_is_no_checkpoint_is_one_sentence(content, tmp_path):
    path = tmp_path / "signs-resnet.checkpoint"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"checkpoint is .*: move it away\.$"):
        train("signs-resnet", out=tmp_path, resume=True, device="cpu", recipe=TINY)
    assert path.read_bytes() == before


@pytest.mark.parametrize("seed", ["-1", str(2**31)])
def test_a_seed_that_cannot_be_is_one_line(seed, tmp_path, capsys):
    assert main(["train", "signs-resnet", "--device", "cpu", "--seed", seed, "--out", str(tmp_path)]) == 2
    assert "--seed must be from 0" in capsys.readouterr().err


def test_the_learning_rate_rises_and_falls_once_per_cycle():
    recipe = replace(TINY, epochs=6, second_cycle=3)
    of_epoch = [rate(epoch / recipe.epochs, recipe) for epoch in torch.arange(0, 9, 0.05, dtype=torch.float64).tolist()]
    first, second = of_epoch[:120], of_epoch[120:]
    for cycle, peak in ((first, 1), (second, 0.5)):
        top = cycle.index(max(cycle))
        assert max(cycle) == pytest.approx(peak, abs=0.01)
        assert cycle[: top + 1] == sorted(cycle[: top + 1])
        assert cycle[top:] == sorted(cycle[top:], reverse=True)
        assert max(cycle[0], cycle[-1]) < 0.06 * peak


def test_mixed_targets_say_how_much_of_which_picture_is_seen():
    labels = torch.arange(30) % 3
    pictures = torch.eye(3)[labels][:, :, None, None].expand(-1, -1, 4, 4)  # channel k is the share of class k
    images, targets = mixed(pictures, labels, 3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(images, targets[:, :, None, None].expand_as(images))
    torch.testing.assert_close(targets.sum(1), torch.ones(30))
    own = targets[torch.arange(30), labels]
    assert own.min() >= 0.5
    assert own.min() < 0.6
    assert own.std() > 0.1


def test_training_leaves_the_global_random_state_alone(tmp_path):
    before = torch.random.get_rng_state()
    train("signs-resnet", device="cpu", out=tmp_path, recipe=replace(TINY, renders=18), epochs=1, n_evaluate=18)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    options = {"device": "cpu", "out": tmp_path, "recipe": replace(TINY, renders=18)}
    train("signs-resnet", stop_after=1, **options)
    with pytest.raises(ValueError, match="belongs to another training"):
        train("signs-resnet", resume=True, seed=1, **options)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="signs-resnet, signs-cnn"):
        train("signs-nothing")


def test_there_is_a_recipe_for_every_bundled_classifier():
    for name, entry in read_manifest().items():
        recipe = RECIPES[name]
        assert (entry.architecture, entry.arguments) == (recipe.architecture, recipe.arguments)
        assert entry.dataset == recipe.dataset
        assert (entry.robust_accuracy is not None) == bool(recipe.eps)
        assert entry.eps == (recipe.eps or None)
        assert entry.sparse_pixels == (recipe.sparse or None)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_makes_a_network_for_its_pictures(name):
    recipe = RECIPES[name]
    size = {"signs": 64, "cifar10": 32}[recipe.dataset]
    network = ARCHITECTURES[recipe.architecture](10, **recipe.arguments)
    assert network(torch.rand(2, 3, size, size)).shape == (2, 10)
    if recipe.small_until:
        assert network(torch.rand(2, 3, size * 3 // 4, size * 3 // 4)).shape == (2, 10)
    if recipe.start_from:
        first = RECIPES[recipe.start_from]
        assert (first.architecture, first.arguments) == (recipe.architecture, recipe.arguments)


@pytest.fixture(scope="module")
def cifar10(tmp_path_factory) -> Path:
    """Six pictures per class and split, each class of a colour of its own."""
    folder = tmp_path_factory.mktemp("cifar10")
    for split in ("train", "test"):
        for label, name in enumerate(Cifar10.classes):
            (folder / split / name.lower()).mkdir(parents=True)
            for i in range(6):
                image = torch.full((3, 32, 32), (25 * label + i) / 255)
                (folder / split / name.lower() / f"{i}.png").write_bytes(to_png(image))
    return folder


def test_cifar10_is_read_from_folders_mixed_and_always_in_the_same_order(cifar10):
    pictures = Pictures.of("cifar10", folder=cifar10, train=True)
    assert pictures.images.shape == (60, 3, 32, 32)
    assert torch.equal(pictures.images[:, 0, 0, 0] // 25, pictures.labels.to(torch.uint8))
    assert len(set(pictures.labels[:12].tolist())) > 3, "mixed"
    assert torch.equal(Pictures.of("cifar10", folder=cifar10, train=True).labels, pictures.labels)


def test_missing_pictures_of_cifar10_are_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"^CIFAR-10 is not in .* `train` with --download\.$"):
        Pictures.of("cifar10", folder=tmp_path, train=True)
    (tmp_path / "test" / "airplane").mkdir(parents=True)
    with pytest.raises(ValueError, match="hold no pictures: PNG, JPEG"):
        Pictures.of("cifar10", folder=tmp_path, train=False)
    (tmp_path / "test" / "airplane" / "1.png").write_bytes(to_png(torch.zeros(3, 8, 9)))
    with pytest.raises(ValueError, match=r"has no pictures of Automobile, Bird, .* Truck\.$"):
        Pictures.of("cifar10", folder=tmp_path, train=False)
    for name in Cifar10.classes[1:]:
        (tmp_path / "test" / name.lower()).mkdir()
        (tmp_path / "test" / name.lower() / "1.png").write_bytes(to_png(torch.zeros(3, 32, 32)))
    with pytest.raises(ValueError, match="has 9 × 8 pixels"):
        Pictures.of("cifar10", folder=tmp_path, train=False)
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"a pickle")
    with pytest.raises(ValueError, match="is damaged or incomplete"):
        Pictures.of("cifar10", folder=tmp_path, train=True)  # not the official files: nothing is unpickled


def test_cifar10_is_fetched_when_asked_and_a_failure_is_a_sentence(tmp_path, monkeypatch):
    def fetch(url, path, digest, on_bytes, stopped):
        on_bytes(1, 2)
        raise FetchFailed("There is no connection.")

    monkeypatch.setattr(sample_cifar, "fetch", fetch)
    with pytest.raises(ValueError, match=r"There is no connection\. Put cifar-10-python"):
        Pictures.of("cifar10", folder=tmp_path, train=True, download=True)


def test_training_on_cifar10_stores_what_it_measures(cifar10, tmp_path):
    recipe = replace(RECIPES["cifar-fast"], arguments=TINY.arguments, epochs=2, batch=20, small_until=0.5)
    options = {"device": "cpu", "recipe": recipe, "out": tmp_path, "folder": cifar10}
    assert train("cifar-fast", stop_after=1, **options) is None
    measured = train("cifar-fast", resume=True, **options)
    assert measured.n == 60
    assert measured.eps == Cifar10.eps
    assert "under PGD within 8/255" in str(measured)
    stored = load_file(tmp_path / "cifar-fast.safetensors")
    assert {tensor.dtype for tensor in stored.values() if tensor.ndim > 1} == {torch.float16}
    assert {tensor.dtype for tensor in stored.values() if tensor.ndim == 1} == {torch.float32}
    assert evaluate("cifar-fast", "cpu", None, 20, tmp_path, cifar10) == measured
    assert [file.name for file in tmp_path.glob("*.partial")] == []

    follower = replace(recipe, start_from="cifar-fast", epochs=1)
    assert train("cifar-pgd", **options | {"recipe": follower}).n == 60
    with pytest.raises(ValueError, match="starts from the weights of cifar-none"):
        train("cifar-pgd", **options | {"recipe": replace(follower, start_from="cifar-none")})


def test_shifted_and_mirrored_pictures_hold_nothing_new():
    images = torch.arange(2 * 3 * 8 * 8).view(2, 3, 8, 8).float()
    moved = shift_and_mirror(images, torch.Generator().manual_seed(0), by=2)
    assert moved.shape == images.shape
    for before, after in zip(images, moved, strict=True):
        assert set(after[0].flatten().tolist()) <= set(before[0].flatten().tolist())
        torch.testing.assert_close(after[1] - after[0], before[1] - before[0])  # all channels alike
    stay = shift_and_mirror(images.repeat(50, 1, 1, 1), torch.Generator().manual_seed(0), by=0)
    same = [torch.equal(a, b) for a, b in zip(stay, images.repeat(50, 1, 1, 1), strict=True)]
    flipped = [torch.equal(a.flip(-1), b) for a, b in zip(stay, images.repeat(50, 1, 1, 1), strict=True)]
    assert [not other for other in flipped] == same
    assert 30 < sum(same) < 70


def test_renders_are_labelled_as_they_are_drawn():
    data = Pictures.of("signs", train=True, n=20)
    seed = TRAINING_SEEDS + 5
    assert data.images.shape == (20, 3, 64, 64)
    assert data.labels[5] == seed % len(CLASS_NAMES)
    drawn = torch.from_numpy(render(seed % len(CLASS_NAMES), Scene.sample(seed)))
    assert torch.equal(data.images[5].permute(1, 2, 0), drawn)

    ordered = list(data.batches(8))
    assert [len(labels) for _, labels in ordered] == [8, 8, 4]
    assert torch.equal(torch.cat([labels for _, labels in ordered]), data.labels)
    shuffled = list(data.batches(8, torch.Generator().manual_seed(0)))
    assert [len(labels) for _, labels in shuffled] == [8, 8]
    assert ordered[0][0].min() >= 0
    assert ordered[0][0].max() <= 1


def test_what_is_measured_was_not_trained_on():
    assert max(recipe.renders for recipe in RECIPES.values()) < UNSEEN_SEEDS - TRAINING_SEEDS


def test_commands_pass_their_options_on(monkeypatch, capsys, tmp_path):
    calls = []

    def stand_in(*args, **options):
        calls.append((args, options))
        sparse = SparseAccuracy(50, 0.52, 10, {"none": 0.98, "random": 0.52}) if options.get("sparse_pixels") else None
        return Evaluation(5000, 0.985, 0.6, 8 / 255, sparse)

    monkeypatch.setattr(train_command, "train", stand_in)
    monkeypatch.setattr(evaluate_command, "evaluate", stand_in)
    data = {"folder": tmp_path, "download": True}
    where = ["--data", str(tmp_path), "--download"]
    options = ["--epochs", "3", "--seed", "7", "--device", "cpu", "--out", str(tmp_path), "--resume"]
    assert main(["train", "signs-cnn", *options, *where]) == 0
    expected = {"epochs": 3, "seed": 7, "device": "cpu", "out": tmp_path, "resume": True} | data
    assert calls[0] == (("signs-cnn",), expected)

    assert main(["evaluate", "signs-cnn", "--device", "cpu", "--n", "100", "--pgd-steps", "0", *where]) == 0
    assert calls[1] == (("signs-cnn", "cpu", 100, 0), data | {"sparse_pixels": None, "sparse_n": 200})
    assert main(["evaluate", "signs-cnn", "--sparse-pixels", "10", "--sparse-n", "50"]) == 0
    assert calls[2][1]["sparse_pixels"] == 10
    assert calls[2][1]["sparse_n"] == 50
    told = capsys.readouterr().out
    assert "98.50% of 5,000 unseen pictures, 60.00% under PGD within 8/255" in told
    assert "52.0% of 50 under sparse attacks with 10 pixels" in told
    assert "right after each attack: none 98.0%, random 52.0%" in told
    for wrong in (["--sparse-pixels", "-1"], ["--sparse-n", "0"]):
        assert main(["evaluate", "signs-cnn", *wrong]) != 0
        assert "--sparse-pixels must be at least 0 and --sparse-n at least 1" in capsys.readouterr().err
