"""From a recipe to weights in a folder, in epochs that can be interrupted."""

import os
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save
from torch import Tensor

from explorer.classifiers import Classifier, best_device
from explorer.classifiers.bundled import ASSETS, Entry, digest, read_manifest, write_entry
from explorer.classifiers.networks import ARCHITECTURES
from explorer.samples import DATA_SETS
from explorer.training.epochs import run_epoch
from explorer.training.evaluation import N_SPARSE, Evaluation, measure, measure_sparse, unseen_pictures
from explorer.training.pictures import Pictures
from explorer.training.recipes import RECIPES, Recipe


def train(
    name: str,
    *,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    out: Path = ASSETS,
    resume: bool = False,
    recipe: Recipe | None = None,
    n_evaluate: int | None = None,
    stop_after: int | None = None,
    folder: Path | None = None,
    download: bool = False,
) -> Evaluation | None:
    """Train a classifier, write its weights and its entry of the manifest into `out`, and measure it.

    `recipe` replaces RECIPES[name], `epochs` its number of epochs (then in one cycle); `folder` and `download` say
    where CIFAR-10 comes from. After every epoch all that is needed to go on is kept in `out`/NAME.checkpoint: with
    `resume` the training goes on from there, to the same result on the same device. `stop_after` ends after so many
    epochs and returns None.
    ValueError for an unknown name, a checkpoint of another recipe, or pictures that are not there.
    """
    if name not in RECIPES:
        raise ValueError(f"There is no recipe for {name!r}; choose one of {', '.join(RECIPES)}.")
    recipe = recipe or RECIPES[name]
    if epochs:
        recipe = replace(recipe, epochs=epochs, second_cycle=0)
    device = best_device() if device == "auto" else device
    out.mkdir(parents=True, exist_ok=True)

    n = recipe.renders if DATA_SETS[recipe.dataset].rendered else None
    data = Pictures.of(recipe.dataset, train=True, n=n, folder=folder, download=download)
    model = _untrained(name, recipe, data, seed, out)
    # On one CPU core this layout in memory is half as fast again.
    model, data = model.to(device=device, memory_format=torch.channels_last), data.to(device)
    optimiser = _optimiser(model, recipe)
    soft = F.one_hot(data.labels, len(model.class_names)).float() if recipe.sparse else None
    checkpoint, first = out / f"{name}.checkpoint", 0
    identity = repr((recipe, seed))
    if resume and checkpoint.exists():
        state = _load(checkpoint, device)
        if state["identity"] != identity:
            raise ValueError(f"{checkpoint} belongs to another training: {state['identity']}; expected {identity}.")
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        first, soft = state["epoch"], state["soft"]

    for epoch in range(first, recipe.epochs + recipe.second_cycle):
        if epoch == stop_after:
            return None
        if epoch == recipe.epochs:
            optimiser = _optimiser(model, recipe)  # a cycle starts without momentum
        # Each epoch has a generator of its own, so that a resumed training needs no generator's state.
        generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
        run_epoch(model, optimiser, data, recipe, epoch, generator, soft)
        state = {"identity": identity, "epoch": epoch + 1, "soft": soft}
        _save(state | {"model": model.state_dict(), "optimiser": optimiser.state_dict()}, checkpoint)

    weights = _stored(model, recipe.half)
    model.network.load_state_dict(weights)  # what is measured is what is stored
    unseen = unseen_pictures(recipe.dataset, n_evaluate, folder, download).to(device)
    evaluation = measure(model, unseen, 20 if recipe.eps else 0, recipe.eps or DATA_SETS[recipe.dataset].eps)
    if recipe.sparse:
        evaluation = replace(evaluation, sparse=measure_sparse(model, unseen.first(N_SPARSE), recipe.sparse))
    _write(name, recipe, model, weights, evaluation, f"python -m explorer train {name} --seed {seed}", out)
    checkpoint.unlink(missing_ok=True)
    return evaluation


def _untrained(name: str, recipe: Recipe, data: Pictures, seed: int, out: Path) -> Classifier:
    """A classifier that can be trained, with the normalisation of these pictures."""
    class_names = list(DATA_SETS[recipe.dataset].classes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ARCHITECTURES[recipe.architecture](len(class_names), **recipe.arguments)
    if recipe.start_from:
        network.load_state_dict(load_file(_find_weights(recipe.start_from, out)))
    pixels = data.images[:2000].float().div(255).transpose(0, 1).flatten(1)
    model = Classifier(
        network,
        name=name,
        class_names=class_names,
        input_size=tuple(data.images.shape[2:]),
        dataset=recipe.dataset,
        mean=[round(value, 3) for value in pixels.mean(1).tolist()],
        std=[round(value, 3) for value in pixels.std(1).tolist()],
    )
    return model.requires_grad_(True)


def _find_weights(name: str, out: Path) -> Path:
    """The file of a classifier that was trained before, into the same folder or into the bundled one."""
    for folder in (out, ASSETS):
        manifest = read_manifest(folder)
        if name in manifest:
            return folder / manifest[name].file
    raise ValueError(f"The training starts from the weights of {name}, which are in {out} as little as in {ASSETS}.")


def _optimiser(model: Classifier, recipe: Recipe) -> torch.optim.Optimizer:
    options = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(model.parameters(), momentum=0.9, nesterov=True, **options)
    return torch.optim.AdamW(model.parameters(), **options)


def _load(checkpoint: Path, device: torch.device | str) -> dict:
    """What `_save` has written. Raises ValueError with one sentence if it is anything else."""
    try:
        state = torch.load(checkpoint, map_location=device, weights_only=True)
    except Exception as error:  # an unpickler raises anything at all on a file that is none of its own
        raise ValueError(f"{checkpoint} is no checkpoint of a training, or is damaged: move it away.") from error
    if not isinstance(state, dict) or {*state} != {"identity", "epoch", "soft", "model", "optimiser"}:
        raise ValueError(f"{checkpoint} is another program's file: move it away.")
    return state


def _save(state: dict, checkpoint: Path) -> None:
    """All of the state, or the one before: never half of it."""
    partial = checkpoint.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, checkpoint)


def _stored(model: Classifier, half: bool) -> dict[str, Tensor]:
    """The network's tensors as they are stored: with `half` the kernels, which are nearly all, in half precision."""
    tensors = {key: tensor.cpu().contiguous() for key, tensor in model.network.state_dict().items()}
    return {key: tensor.half() if half and tensor.ndim > 1 else tensor for key, tensor in tensors.items()}


def _write(
    name: str,
    recipe: Recipe,
    model: Classifier,
    weights: dict[str, Tensor],
    evaluation: Evaluation,
    command: str,
    out: Path,
) -> None:
    """The weights and what is known about them."""
    sparse = evaluation.sparse
    content, trained_on = save(weights), DATA_SETS[recipe.dataset]
    file = f"{name}.safetensors"
    (out / file).write_bytes(content)
    entry = Entry(
        file=file,
        architecture=recipe.architecture,
        arguments=recipe.arguments,
        classes=model.class_names,
        mean=[round(value, 3) for value in model.mean.flatten().tolist()],
        std=[round(value, 3) for value in model.std.flatten().tolist()],
        input_size=list(model.input_size),
        dataset=recipe.dataset,
        accuracy=evaluation.accuracy,
        evaluated_on=evaluation.n,
        robust_accuracy=evaluation.robust_accuracy,
        eps=evaluation.eps,
        sparse_accuracy=sparse and sparse.accuracy,
        sparse_pixels=sparse and sparse.pixels,
        sparse_evaluated_on=sparse and sparse.n,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        command=command,
        sha256=digest(content),
        source=f"trained in this project on {trained_on.learned or trained_on.title}",
        licence="MIT",
    )
    write_entry(name, entry, out)
