"""Training is repeatable, can be interrupted, and writes what the loader reads."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from explorer import training
from explorer.classifiers import CLASSIFIERS
from explorer.classifiers.bundled import load_bundled, read_manifest
from explorer.signs import CLASS_NAMES, Scene, render
from explorer.training import EPS, RECIPES, TRAINING_SEEDS, UNSEEN_SEEDS, Recipe, Renders, evaluate, train

TINY = Recipe(
    "resnet",
    {"stem": 4, "stem_stride": 2, "widths": [8], "blocks": [1], "strides": [2]},
    epochs=2,
    renders=72,
    batch=24,
    label_smoothing=0.0,
)
RECIPES_BY_KIND = {"plain": TINY, "adversarial": replace(TINY, eps=EPS, attack_steps=1)}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "signs-resnet.safetensors")


@pytest.mark.parametrize("kind", RECIPES_BY_KIND)
def test_a_resumed_training_ends_like_an_uninterrupted_one(kind, tmp_path):
    recipe = RECIPES_BY_KIND[kind]
    options = {"seed": 3, "device": "cpu", "recipe": recipe, "n_evaluate": 36}
    through = train("signs-resnet", out=tmp_path / "through", **options)
    assert train("signs-resnet", out=tmp_path / "parts", stop_after=1, **options) is None
    assert (tmp_path / "parts" / "signs-resnet.checkpoint").exists()
    resumed = train("signs-resnet", out=tmp_path / "parts", resume=True, **options)
    assert not (tmp_path / "parts" / "signs-resnet.checkpoint").exists()

    assert resumed == through
    assert (through.robust_accuracy is None) == (kind == "plain")
    torch.testing.assert_close(weights(tmp_path / "parts"), weights(tmp_path / "through"), rtol=1e-4, atol=1e-5)

    classifier = load_bundled("signs-resnet", tmp_path / "through")
    assert classifier(torch.rand(1, 3, 64, 64)).shape == (1, len(CLASS_NAMES))
    entry = read_manifest(tmp_path / "through")["signs-resnet"]
    assert entry.accuracy == through.accuracy
    assert evaluate("signs-resnet", "cpu", 36, 0, tmp_path / "through").accuracy == through.accuracy


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


def test_there_is_a_recipe_for_every_sign_classifier():
    assert set(RECIPES) == {name for name, card in CLASSIFIERS.items() if card.dataset == "signs"}
    manifest = read_manifest()
    for name, recipe in RECIPES.items():
        assert manifest[name].architecture == recipe.architecture
        assert manifest[name].arguments == recipe.arguments


def test_renders_are_labelled_as_they_are_drawn():
    data = Renders.draw(TRAINING_SEEDS, 20)
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
        return training.Evaluation(5000, 0.985, 0.6)

    monkeypatch.setattr(training, "train", stand_in)
    monkeypatch.setattr(training, "evaluate", stand_in)
    parser = argparse.ArgumentParser()
    training.add_arguments(parser)
    options = ["signs-cnn", "--epochs", "3", "--seed", "7", "--device", "cpu", "--out", str(tmp_path), "--resume"]
    assert training.run(parser.parse_args(options)) == 0
    assert calls[0] == (("signs-cnn",), {"epochs": 3, "seed": 7, "device": "cpu", "out": tmp_path, "resume": True})

    parser = argparse.ArgumentParser()
    training.add_evaluate_arguments(parser)
    assert training.run_evaluate(parser.parse_args(["signs-cnn", "--n", "100", "--pgd-steps", "0"])) == 0
    assert calls[1] == (("signs-cnn", "auto", 100, 0), {})
    assert "98.50% of 5,000 unseen renders, 60.00% under PGD within 4/255" in capsys.readouterr().out
