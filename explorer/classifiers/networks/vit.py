"""Vision transformers (arXiv 2010.11929), small: patches averaged at the end instead of a class token."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from explorer.types import Images, Logits


class Attention(nn.Module):
    """Multi-head self-attention in plain matrix products."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.softmax = nn.Softmax(dim=-1)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        b, tokens, width = x.shape
        q, k, v = self.qkv(x).view(b, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = self.softmax(q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5)
        return self.out((weights @ v).transpose(1, 2).reshape(b, tokens, width))


class Layer(nn.Module):
    """Attention, then a small network for each token; normalised before, added to what came in."""

    def __init__(self, width: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), nn.Linear(expansion * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm_attention(x))
        return x + self.mlp(self.norm_mlp(x))


class ViT(nn.Module):
    """A transformer over square patches. Inputs must be `input_size` pixels square.

    With `stem` > 0 a convolution of so many channels, at half the resolution, comes before the patches: it makes
    training far quicker (arXiv 2106.14881). Several numbers are as many convolutions, each at half the resolution and
    normalised, as in that paper; the patches are what is left to divide.
    """

    def __init__(
        self,
        classes: int,
        input_size: int = 32,
        patch: int = 4,
        width: int = 192,
        depth: int = 6,
        heads: int = 3,
        expansion: int = 2,
        stem: int | Sequence[int] = 0,
    ) -> None:
        super().__init__()
        if not stem:
            self.embed = nn.Conv2d(3, width, patch, patch)
        elif isinstance(stem, int):
            half = patch // 2
            self.embed = nn.Sequential(nn.Conv2d(3, stem, 3, 2, 1), nn.GELU(), nn.Conv2d(stem, width, half, half))
        else:
            layers, rest = [], patch // 2 ** len(stem)
            for before, after in pairwise((3, *stem)):
                layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            self.embed = nn.Sequential(*layers, nn.Conv2d(stem[-1], width, rest, rest))
        self.position = nn.Parameter(torch.empty(1, (input_size // patch) ** 2, width))
        nn.init.normal_(self.position, std=0.02)
        self.layers = nn.Sequential(*(Layer(width, heads, expansion) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Images) -> Logits:
        tokens = self.embed(x).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.layers(tokens)).mean(dim=1))
