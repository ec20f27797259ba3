"""What this device does: `python -m tests.measure_device [--device cuda] [--quick]`.

Exactness against the CPU: the same story, pixels and labels on the bundled signs; a grid of settings against its single
runs. Times, medians in seconds, of: bare forward and backward passes, the same captured (CUDA), the attack's own stage,
the whole attack, at several batch sizes; a grid of 256 settings; labels by method; ResNet-50 and ViT-B/16, untrained,
at 224 x 224. The exit code is 1 where the device answers otherwise than the CPU.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn

from explorer import SigmaZero, SparseAttack, explain_pixels, load_classifier
from explorer.attacks import Attack, Greedy
from explorer.classifiers import CLASSIFIERS, Classifier, best_device
from explorer.evidence import METHODS, methods_for
from explorer.exact import exact_arithmetic
from explorer.pipeline import explore
from explorer.samples import gallery
from explorer.studies import grid
from explorer.types import Images, Labels, Network

A = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
LAM = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
TAU = (0.01, 0.03, 0.05, 0.1)
STEPS = 100
SAME_STORIES = 0.95  # share of the pictures whose story must be the CPU's
PARTS = ("stories", "grid", "times", "labels", "large")
LARGE = {"ResNet-50": "resnet50", "ViT-B/16": "vit_b_16"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,...", help="what is measured (default: all)")
    parser.add_argument("--stories", default=",".join(of_signs()), metavar="NAME,...", help="networks for the stories")
    parser.add_argument("--networks", default="signs-resnet,signs-vit,cifar-resnet20", help="for the times")
    parser.add_argument("--batches", default="1,32,256,1024")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pictures", type=int, help="of the gallery, for the exactness (default: all)")
    parser.add_argument("--quick", action="store_true", help="few pictures, small batches: to see that it runs")
    return measure(parser.parse_args())


def measure(args: argparse.Namespace) -> int:
    device = torch.device(best_device() if args.device == "auto" else args.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} thread(s)", flush=True)
    batches = [1, 4] if args.quick else [int(size) for size in args.batches.split(",")]
    repeats, pictures = (1, 3) if args.quick else (args.repeats, args.pictures)
    only, exact = args.only.split(","), []
    if "stories" in only:
        exact.append(compare_stories(device, args.stories.split(","), pictures))
    if "grid" in only:
        exact.append(compare_grid(device, 8 if args.quick else 16))
        time_grid(device, 16 if args.quick else 256, repeats)
    for network in args.networks.split(",") * ("times" in only):
        clf = load_classifier(network, device=device)
        for size in batches:
            times(clf, size, repeats)
    if "labels" in only:
        time_labels(device)
    for title, model in LARGE.items() if "large" in only else ():
        time_large(title, model, device, repeats)
    return 0 if all(exact) else 1


def of_signs() -> list[str]:
    """The bundled networks of signs."""
    return [name for name, card in CLASSIFIERS.items() if card.source == "bundled" and card.dataset == "signs"]


def compare_stories(device: torch.device, names: Sequence[str], pictures: int | None) -> bool:
    """Every bundled sign on these networks: here and on the CPU."""
    fine = True
    for name in names:
        here, there = load_classifier(name, device=device), load_classifier(name, device="cpu")
        stories = labels = changed = 0
        samples = gallery()[:pictures]
        for sample in samples:
            one, other = (explore(clf, sample.image, SparseAttack(), splits=0) for clf in (here, there))
            stories += one.story == other.story
            labels += kinds(one) == kinds(other)
            changed += one.n_pixels == (len(one.evidence.pixels) if one.evidence else 0)
        n = len(samples)
        print(f"{name}: {stories} of {n} stories, {labels} of {n} sets of labels as on the CPU; as many labels as "
              f"changed pixels in {changed} of {n}", flush=True)  # fmt: skip
        fine &= changed == n and stories >= SAME_STORIES * n
    return fine


def kinds(exploration) -> list[tuple]:
    return [(p.row, p.col, p.after, p.kind) for p in exploration.evidence.pixels] if exploration.evidence else []


def compare_grid(device: torch.device, cells: int) -> bool:
    """Some of 256 settings of one sign, as one batch and one by one: the picture after the attack's own stage."""
    clf, image, label = stop_sign(device)
    settings = grid(SparseAttack(prune=False, polish=False), {"a": A, "lam": LAM, "tau": TAU})
    whole = as_one(settings)(clf, image.expand(len(settings), -1, -1, -1), label.expand(len(settings)))
    every = len(settings) // cells
    same = [
        torch.equal(whole.adversarial[place], settings[place](clf, image, label).adversarial[0])
        for place in range(0, len(settings), every)
    ]
    print(f"grid: {sum(same)} of {len(same)} cells are their single runs to the last bit", flush=True)
    return all(same)


def times(clf: Classifier, size: int, repeats: int) -> None:
    """One batch size, every way to attack it."""
    images, labels = correct(clf, size)

    def of(work: Callable[[], object]) -> float:
        return median(work, images.device, repeats)

    def attacked(attack: Attack) -> float:
        return of(lambda: attack(clf, images, labels))

    bare = of(lambda: passes(clf, images, STEPS))
    own, whole = attacked(SparseAttack(prune=False, polish=False)), attacked(SparseAttack())
    row = [f"bare {bare:.4f}"]
    row += [f"optimised {own:.4f} ({own / bare:.2f} × bare)", f"whole {whole:.4f} ({whole / bare:.2f} × bare)"]
    if images.is_cuda:
        captured = of(captured_passes(clf, images, STEPS))
        row.append(f"captured {captured:.4f} (optimised {own / captured:.2f} ×, whole {whole / captured:.2f} ×)")
    row += [f"greedy {attacked(Greedy()):.4f}", f"σ-zero {attacked(SigmaZero(steps=STEPS)):.4f}"]
    print(f"{clf.name}, batch {size}: " + ", ".join(row), flush=True)


def time_grid(device: torch.device, cells: int, repeats: int) -> None:
    clf, image, label = stop_sign(device)
    for refined in (False, True):
        settings = grid(SparseAttack(prune=refined, polish=refined), {"a": A, "lam": LAM, "tau": TAU})[:cells]
        batch = image.expand(len(settings), -1, -1, -1), label.expand(len(settings))
        seconds = median(partial(as_one(settings), clf, *batch), device, repeats)
        print(f"grid of {len(settings)}, {'whole' if refined else 'optimised'}: {seconds:.3f} s", flush=True)


def time_labels(device: torch.device) -> None:
    clf, image, label = stop_sign(device)
    result = SparseAttack()(clf, image, label)
    valid = [name for name, problem in methods_for(clf, image[0]).items() if problem is None]
    row = []
    for method in [name for name in METHODS if name in valid]:
        work = partial(explain_pixels, clf, image[0], result.adversarial[0], int(label), method, splits=0)
        row.append(f"{method} {median(work, device, 2):.3f}")
    print(f"labels of {int(result.n_pixels)} pixels: " + ", ".join(row), flush=True)


def time_large(title: str, model: str, device: torch.device, repeats: int) -> None:
    """An untrained network of ImageNet's size, on noise."""
    import torchvision

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torchvision.models.get_model(model, weights=None).eval().requires_grad_(False).to(device)
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.no_grad():
        label = network(image).argmax(1)
    n_steps = STEPS if device.type == "cuda" else 3
    bare = median(lambda: passes(network, image, n_steps), device, 1 if device.type == "cpu" else repeats)
    attack = SparseAttack(steps=n_steps, prune=False, polish=False)
    own = median(lambda: attack(network, image, label), device, 1 if device.type == "cpu" else repeats)
    print(
        f"{title} at 224 × 224, {n_steps} steps: bare {bare:.3f}, optimised {own:.3f} ({own / bare:.2f} × bare)",
        flush=True,
    )


def stop_sign(device: torch.device) -> tuple[Classifier, Images, Labels]:
    clf, sign = load_classifier("signs-resnet", device=device), gallery()[0]
    return clf, sign.image[None].to(clf.device), torch.tensor([sign.label], device=clf.device)


def as_one(settings: Sequence[SparseAttack]) -> Attack:
    """All settings as one batch."""
    knobs = {name: torch.tensor([getattr(each, name) for each in settings]) for name in SparseAttack.per_image}
    return SparseAttack(**knobs, prune=settings[0].prune, polish=settings[0].polish)


def correct(clf: Classifier, n: int) -> tuple[Images, Labels]:
    """So many pictures, with what the network sees in them."""
    if clf.dataset == "signs":
        images = torch.stack([sample.image for sample in gallery()])
        images = images.repeat(-(-n // len(images)), 1, 1, 1)[:n].to(clf.device)
    else:
        images = torch.rand(n, 3, *clf.input_size, generator=torch.Generator().manual_seed(0)).to(clf.device)
    with torch.no_grad():
        return images, clf(images).argmax(1)


def passes(network: Network, images: Images, n: int) -> None:
    for _ in range(n):
        forward_backward(network, images)


def forward_backward(network: Network, images: Images) -> torch.Tensor:
    images = images.detach().requires_grad_(True)
    with torch.enable_grad(), exact_arithmetic(images.device):
        (gradient,) = torch.autograd.grad(network(images).sum(), images)
    return gradient


def captured_passes(network: nn.Module, images: Images, n: int) -> Callable[[], None]:
    """The same passes as a replayed CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        passes(network, images, 3)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        forward_backward(network, images)

    def replay() -> None:
        for _ in range(n):
            graph.replay()

    return replay


def median(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Seconds, after one run that is not counted where there are several."""
    seconds = []
    for _ in range(repeats + (repeats > 1)):
        started = time.perf_counter()
        work()
        if device.type != "cpu":
            getattr(torch, device.type).synchronize()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[-repeats:])


if __name__ == "__main__":
    sys.exit(main())
