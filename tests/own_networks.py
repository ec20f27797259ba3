"""Networks as other people have them: what several tests share."""

from pathlib import Path

import torch
from torch import nn

SIGNS = '''
from explorer import load_classifier


def load():
    """A bundled network, as somebody else's: its normalisation is inside."""
    clf = load_classifier("signs-cnn", device="cpu")
    return Inside(clf)


def bare():
    """The same, whose owner forgot the normalisation."""
    network = load_classifier("signs-cnn", device="cpu").network
    network.class_names = "signs"
    return network


class Inside(__import__("torch").nn.Module):
    def __init__(self, clf):
        super().__init__()
        self.clf, self.class_names, self.input_size = clf, [name.upper() for name in clf.class_names], 64

    def forward(self, images):
        return self.clf(images)
'''


def python_file(folder: Path, text: str = SIGNS, name: str = "mine") -> str:
    """A file of Python with these functions."""
    file = folder / f"{name}.py"
    file.write_text(text)
    return str(file)


class Shortcut(nn.Module):
    """A block of the ResNet-20 that is known as akamaster's: its shortcut has no weights."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.stride, self.empty = stride, (after - before) // 2

    def forward(self, x):
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (out + nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0,) * 4 + (self.empty,) * 2)).relu()


class ResNet20(nn.Module):
    """For CIFAR-10, in the layout that most people have its weights in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        widths = (16, 16, 32, 64)
        for n in (1, 2, 3):
            first = Shortcut(widths[n - 1], widths[n], 1 if n == 1 else 2)
            others = [Shortcut(widths[n], widths[n], 1) for _ in range(2)]
            setattr(self, f"layer{n}", nn.Sequential(first, *others))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.linear(x.mean((2, 3)))


def resnet20() -> ResNet20:
    """With random weights, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ResNet20()
        network(torch.rand(8, 3, 32, 32))  # so that its normalisations have seen something
    return network.eval()
