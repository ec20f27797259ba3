"""One time through the pictures, and the course of the learning rate over all of them."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from explorer.attacks.dense import sign_attack
from explorer.classifiers import Classifier
from explorer.training.pictures import Pictures
from explorer.training.recipes import Recipe
from explorer.training.sparse_adversary import softened, sparse_adversary, trades


def run_epoch(
    model: Classifier,
    optimiser: torch.optim.Optimizer,
    data: Pictures,
    recipe: Recipe,
    epoch: int,
    generator: torch.Generator,
    soft: Tensor | None = None,
) -> None:
    """Once through the pictures, at the learning rate, the size and the radius of this part of the training.

    `soft` (n, classes), of a training against sparse attacks: what is learned of each picture; changed in place.
    """
    mixup = recipe.mixup and epoch >= recipe.epochs
    if mixup:
        data = data.first(recipe.mixup)
    steps = max(1, len(data) // recipe.batch)
    batches = data.numbered(recipe.batch, generator, recipe.augment)
    bar = tqdm(batches, f"epoch {epoch + 1}/{recipe.epochs + recipe.second_cycle}", steps, mininterval=2)
    seen = correct = 0
    for step, (numbers, images, labels) in enumerate(bar):
        progress = (epoch + step / steps) / recipe.epochs  # 1 and more: in the second cycle
        if progress < recipe.small_until:
            images = F.interpolate(images, scale_factor=0.75, mode="bilinear", antialias=True)
        grown = min(1.0, progress / recipe.ramp + 0.1)
        if recipe.eps:
            eps = recipe.eps * grown
            model.eval()
            size = 1.25 * eps / recipe.attack_steps
            images = sign_attack(
                model, images, labels, eps=eps, steps=recipe.attack_steps, step_size=size, generator=generator
            )
        clean, targets = images, labels
        if recipe.sparse:
            k = max(1, round(recipe.margin * recipe.sparse * grown))
            model.eval()
            images = sparse_adversary(model, images, labels, k, generator)
        if mixup:
            images, targets = mixed(images, labels, len(model.class_names), generator)
        model.train()
        optimiser.param_groups[0]["lr"] = recipe.learning_rate * rate(progress, recipe)
        if soft is None:
            logits = model(images)
            loss = F.cross_entropy(logits, targets, label_smoothing=recipe.label_smoothing)
        else:
            before, logits = model(torch.cat([clean, images])).chunk(2)
            if progress >= recipe.soft_from:
                soft[numbers] = softened(soft[numbers], before)
            loss = trades(before, logits, soft[numbers], recipe.beta)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen, correct = seen + len(labels), correct + (logits.argmax(1) == labels).sum()
        if step % 20 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}", accuracy=f"{correct.item() / seen:.2%}", refresh=False)
    model.eval()


def mixed(images: Tensor, labels: Tensor, n_classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mixup (arXiv 1710.09412, alpha = 1): each picture under another of the batch that has up to half of the weight.

    The targets (b, n_classes) are mixed like the pictures. As another picture fades in, the logits then have to follow,
    instead of holding still until they break down: changes of pixels add up rather than act jointly.
    """
    other = torch.randperm(len(images), generator=generator).to(images.device)
    weight = torch.rand(len(images), generator=generator).div(2).to(images.device)
    targets = F.one_hot(labels, n_classes).float()
    images = images.lerp(images[other], weight.view(-1, 1, 1, 1))
    return images, targets.lerp(targets[other], weight[:, None])


def rate(progress: float, recipe: Recipe) -> float:
    """The learning rate as a share of its peak; from a progress of 1 on in the second cycle, whose peak is 0.5."""
    if progress < 1:
        return _one_cycle(progress)
    return 0.5 * _one_cycle((progress - 1) * recipe.epochs / recipe.second_cycle)


def _one_cycle(progress: float, warm_up: float = 0.15) -> float:
    """A straight rise to 1, then half a cosine down to nothing."""
    if progress < warm_up:
        return 0.05 + 0.95 * progress / warm_up
    return 0.5 + 0.5 * math.cos(math.pi * (progress - warm_up) / (1 - warm_up))
