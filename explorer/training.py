"""Train the bundled classifiers on rendered road signs, and measure them again.

`python -m explorer train signs-resnet` writes assets/signs-resnet.safetensors and its entry in the manifest;
`python -m explorer evaluate signs-resnet` recomputes the figures that the manifest states.
"""

import argparse
import math
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save
from torch import Tensor, nn
from tqdm import tqdm

from explorer.attacks.dense import sign_attack
from explorer.classifiers import CLASSIFIERS, Classifier, best_device
from explorer.classifiers.bundled import ASSETS, Entry, digest, load_bundled, read_manifest, write_entry
from explorer.classifiers.networks import ARCHITECTURES
from explorer.signs import CLASS_NAMES, Scene, render

SIZE = 64  # pixels
TRAINING_SEEDS = 1_000_000  # scenes for training are numbered from here,
UNSEEN_SEEDS = 1_000_000_000  # scenes for evaluation from here
_WORTH_PROCESSES = 2000  # renders from which it pays to start other processes
EPS = 4 / 255  # L-infinity radius for robust training and its measurement


@dataclass(frozen=True)
class Recipe:
    """How one classifier is trained."""

    architecture: str  # a key of ARCHITECTURES
    arguments: dict
    epochs: int
    renders: int = 12_000  # training pictures
    batch: int = 96
    learning_rate: float = 4e-3  # at its peak
    weight_decay: float = 0.02
    label_smoothing: float = 0.01
    eps: float = 0.0  # > 0: adversarial training (PGD, arXiv 1706.06083) within this L-infinity radius
    attack_steps: int = 1  # of 1.25 eps / attack_steps each: one step is fast adversarial training, arXiv 2001.03994
    ramp: float = 0.3  # share of the training over which eps grows to its full size
    start_from: str | None = None  # the bundled classifier whose weights are the start


_RESNET = {"stem": 16, "stem_stride": 2, "widths": [32, 64, 96], "blocks": [1, 1, 1], "strides": [2, 2, 2]}

RECIPES: dict[str, Recipe] = {
    # With more pictures, epochs or smoothed labels it is hardly more accurate, but pixels act less on their own: labels
    # by integrated gradients and by reversal then agree on 72 to 86 % of the pixels instead of 92 %.
    "signs-resnet": Recipe("resnet", _RESNET, epochs=5, renders=8_000, label_smoothing=0.0),
    "signs-cnn": Recipe("vgg", {"stem_stride": 2, "widths": [[24], [48], [96], [128]]}, epochs=8),
    "signs-vit": Recipe(
        "vit",
        {"input_size": SIZE, "patch": 8, "width": 64, "depth": 3, "heads": 4, "expansion": 2, "stem": 24},
        epochs=7,
        renders=36_000,
        learning_rate=2e-3,
        weight_decay=0.05,
    ),
    "signs-robust": Recipe(
        "resnet", _RESNET, epochs=4, eps=EPS, attack_steps=3, learning_rate=2e-3, start_from="signs-resnet"
    ),
}


@dataclass(frozen=True)
class Renders:
    """Pictures and their classes: images (n, 3, SIZE, SIZE) uint8, labels (n,) int64."""

    images: Tensor
    labels: Tensor

    @classmethod
    def draw(cls, first_seed: int, n: int) -> "Renders":
        """N pictures, the classes in turn, each in the scene of its own seed."""
        seeds = range(first_seed, first_seed + n)
        bar = partial(tqdm, desc="render", total=n, mininterval=2, disable=n < _WORTH_PROCESSES)
        if n < _WORTH_PROCESSES:
            images = [_draw(seed) for seed in bar(seeds)]
        else:
            with multiprocessing.get_context("spawn").Pool() as pool:
                images = list(bar(pool.imap(_draw, seeds, chunksize=64)))
        pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
        return cls(pictures, torch.tensor([_class_of(seed) for seed in seeds]))

    def to(self, device: str) -> "Renders":
        return Renders(self.images.to(device), self.labels.to(device))

    def batches(self, size: int, generator: torch.Generator | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Images in [0, 1] and labels; shuffled by `generator`, where what is over at the end is left out."""
        n = len(self.labels)
        order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
        last = n if generator is None else max(size, n - n % size)
        for start in range(0, last, size):
            chosen = order[start : start + size].to(self.labels.device)
            images = self.images[chosen].to(memory_format=torch.channels_last)
            yield images.float() / 255, self.labels[chosen]


def _class_of(seed: int) -> int:
    return seed % len(CLASS_NAMES)


def _draw(seed: int) -> np.ndarray:
    return render(_class_of(seed), Scene.sample(seed), SIZE)


@dataclass(frozen=True)
class Evaluation:
    """Shares of unseen pictures that are classified correctly."""

    n: int
    accuracy: float
    robust_accuracy: float | None  # under PGD within EPS; None: not measured

    def __str__(self) -> str:
        robust = "" if self.robust_accuracy is None else f", {self.robust_accuracy:.2%} under PGD within 4/255"
        return f"{self.accuracy:.2%} of {self.n:,} unseen renders{robust}"


def train(
    name: str,
    *,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    out: Path = ASSETS,
    resume: bool = False,
    recipe: Recipe | None = None,
    n_evaluate: int = 5000,
    stop_after: int | None = None,
) -> Evaluation | None:
    """Train a classifier, write its weights and its entry of the manifest into `out`, and measure it.

    `recipe` replaces RECIPES[name], `epochs` its number of epochs. After every epoch all that is needed to go on is
    kept in `out`/NAME.checkpoint: with `resume` the training goes on from there, to the same result on the same
    device. `stop_after` ends after so many epochs and returns None. ValueError for an unknown name or a checkpoint
    of another recipe.
    """
    if name not in RECIPES:
        raise ValueError(f"There is no recipe for {name!r}; choose one of {', '.join(RECIPES)}.")
    recipe = recipe or RECIPES[name]
    recipe = replace(recipe, epochs=epochs or recipe.epochs)
    device = best_device() if device == "auto" else device
    out.mkdir(parents=True, exist_ok=True)

    data = Renders.draw(TRAINING_SEEDS, recipe.renders)
    model = _untrained(name, recipe, data, seed)
    # On one CPU core this layout in memory is half as fast again.
    model, data = model.to(device=device, memory_format=torch.channels_last), data.to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    checkpoint, first = out / f"{name}.checkpoint", 0
    identity = repr((recipe, seed))
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        if state["identity"] != identity:
            raise ValueError(f"{checkpoint} belongs to another training: {state['identity']}; expected {identity}.")
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["epoch"]

    for epoch in range(first, recipe.epochs):
        if epoch == stop_after:
            return None
        # Each epoch has a generator of its own, so that a resumed training needs no generator's state.
        generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
        _epoch(model, optimiser, data, recipe, epoch, generator)
        state = {"identity": identity, "epoch": epoch + 1}
        torch.save(state | {"model": model.state_dict(), "optimiser": optimiser.state_dict()}, checkpoint)

    evaluation = _measure(model, Renders.draw(UNSEEN_SEEDS, n_evaluate).to(device), 20 if recipe.eps else 0)
    _write(name, recipe, model, evaluation, f"python -m explorer train {name} --seed {seed}", out)
    checkpoint.unlink(missing_ok=True)
    return evaluation


def evaluate(name: str, device: str = "auto", n: int = 5000, pgd_steps: int = 20, assets: Path = ASSETS) -> Evaluation:
    """Measure a bundled classifier on `n` unseen renders, and under PGD of `pgd_steps` steps (0: not)."""
    model = load_bundled(name, assets).to(best_device() if device == "auto" else device)
    return _measure(model, Renders.draw(UNSEEN_SEEDS, n).to(str(model.device)), pgd_steps)


def _untrained(name: str, recipe: Recipe, data: Renders, seed: int) -> Classifier:
    """A classifier that can be trained, with the normalisation of these pictures."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ARCHITECTURES[recipe.architecture](len(CLASS_NAMES), **recipe.arguments)
    if recipe.start_from:
        network.load_state_dict(load_file(ASSETS / read_manifest()[recipe.start_from].file))
    pixels = data.images[:2000].float().div(255).transpose(0, 1).flatten(1)
    model = Classifier(
        network,
        name=name,
        class_names=CLASS_NAMES,
        input_size=(SIZE, SIZE),
        dataset="signs",
        mean=[round(value, 3) for value in pixels.mean(1).tolist()],
        std=[round(value, 3) for value in pixels.std(1).tolist()],
    )
    return model.requires_grad_(True)


def _epoch(
    model: Classifier,
    optimiser: torch.optim.Optimizer,
    data: Renders,
    recipe: Recipe,
    epoch: int,
    generator: torch.Generator,
) -> None:
    """Once through the pictures, at the learning rate and the radius of this part of the training."""
    steps = max(1, len(data.labels) // recipe.batch)
    bar = tqdm(data.batches(recipe.batch, generator), f"epoch {epoch + 1}/{recipe.epochs}", steps, mininterval=2)
    seen = correct = 0
    for step, (images, labels) in enumerate(bar):
        progress = (epoch + step / steps) / recipe.epochs
        if recipe.eps:
            eps = recipe.eps * min(1.0, progress / recipe.ramp + 0.1)
            model.eval()
            size = 1.25 * eps / recipe.attack_steps
            images = sign_attack(
                model, images, labels, eps=eps, steps=recipe.attack_steps, step_size=size, generator=generator
            )
        model.train()
        optimiser.param_groups[0]["lr"] = recipe.learning_rate * _one_cycle(progress)
        logits = model(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen, correct = seen + len(labels), correct + (logits.argmax(1) == labels).sum()
        if step % 20 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}", accuracy=f"{correct.item() / seen:.2%}", refresh=False)
    model.eval()


def _one_cycle(progress: float, warm_up: float = 0.15) -> float:
    """The learning rate as a share of its peak: a straight rise, then half a cosine down to nothing."""
    if progress < warm_up:
        return 0.05 + 0.95 * progress / warm_up
    return 0.5 + 0.5 * math.cos(math.pi * (progress - warm_up) / (1 - warm_up))


def _measure(model: nn.Module, data: Renders, pgd_steps: int) -> Evaluation:
    """Accuracy; with `pgd_steps` > 0 also under PGD from a random start, step size 2.5 eps / steps."""
    generator = torch.Generator().manual_seed(0)
    clean = attacked = 0
    for images, labels in tqdm(data.batches(250), "evaluate", -(-len(data.labels) // 250), mininterval=2):
        with torch.no_grad():
            clean += (model(images).argmax(1) == labels).sum().item()
        if pgd_steps:
            images = sign_attack(
                model,
                images,
                labels,
                eps=EPS,
                steps=pgd_steps,
                step_size=2.5 * EPS / pgd_steps,
                generator=generator,
            )
            with torch.no_grad():
                attacked += (model(images).argmax(1) == labels).sum().item()
    n = len(data.labels)
    return Evaluation(n, clean / n, attacked / n if pgd_steps else None)


def _write(name: str, recipe: Recipe, model: Classifier, evaluation: Evaluation, command: str, out: Path) -> None:
    """The weights and what is known about them."""
    weights = save({key: tensor.cpu().contiguous() for key, tensor in model.network.state_dict().items()})
    file = f"{name}.safetensors"
    (out / file).write_bytes(weights)
    entry = Entry(
        file=file,
        architecture=recipe.architecture,
        arguments=recipe.arguments,
        classes=list(CLASS_NAMES),
        mean=[round(value, 3) for value in model.mean.flatten().tolist()],
        std=[round(value, 3) for value in model.std.flatten().tolist()],
        input_size=[SIZE, SIZE],
        dataset="signs",
        accuracy=evaluation.accuracy,
        evaluated_on=evaluation.n,
        robust_accuracy=evaluation.robust_accuracy,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        command=command,
        sha256=digest(weights),
        source="trained in this project on its own rendered road signs",
        licence="MIT",
    )
    write_entry(name, entry, out)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m explorer train`."""
    parser.add_argument("name", choices=list(RECIPES), help="the classifier to train")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's number")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of the order of the pictures")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder for the weights and the manifest")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in that folder")


def run(args: argparse.Namespace) -> int:
    """Train as the options say and print the accuracy; 0 when done."""
    result = train(args.name, epochs=args.epochs, seed=args.seed, device=args.device, out=args.out, resume=args.resume)
    print(f"{args.name}: {result}")
    return 0


def add_evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m explorer evaluate`."""
    bundled = [name for name, card in CLASSIFIERS.items() if card.load is load_bundled]
    parser.add_argument("name", choices=bundled, help="the classifier to measure")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--n", type=int, default=5000, help="how many unseen renders")
    parser.add_argument("--pgd-steps", type=int, default=20, help="steps of PGD within 4/255; 0 leaves it out")


def run_evaluate(args: argparse.Namespace) -> int:
    """Measure as the options say and print the figures; 0 when done."""
    print(f"{args.name}: {evaluate(args.name, args.device, args.n, args.pgd_steps)}")
    return 0
