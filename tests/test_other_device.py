"""What is computed on another device is what the CPU computes, see other_device.py: every command, and the page's parts."""

import pandas as pd
import pytest
from other_device import NAME, other_device

from explorer import SparseAttack, explain_pixels, load_classifier
from explorer.__main__ import main
from explorer.evidence import METHODS, methods_for
from explorer.pipeline import Asked, Member, advise, explore, explore_together, respond
from explorer.samples import find_sample

QUICK = SparseAttack(steps=20, swaps=2)
SHORT = ["--steps", "10", "--no-polish"]
COMMANDS = {
    "attack": ["attack", "stop-1", *SHORT],
    "attack folder": ["attack", "{pictures}", *SHORT],
    "bench": ["bench", "--attacks", "sparse-10,greedy,random:queries=50", "--n", "2", "--repeats", "1"],
    "sweep": ["sweep", "--tau", "0.05,0.1", "--n", "2", "--pictures", "gallery", *SHORT],
    "dataset": ["dataset", "--n", "2", *SHORT],
    "tune": ["tune", "--trials", "2", "--n", "2", "--check", "2", "--pictures", "gallery", *SHORT],
    "evidence": ["evidence", "--n", "2", "--methods", "integrated_gradients,occlusion", *SHORT],
    "ground truth": ["evidence", "--n", "2", "--ground-truth", "--methods", "integrated_gradients", *SHORT],
    "attention": ["attention", "--model", "signs-vit", "--n", "2", *SHORT],
    "transfer": ["transfer", "--models", "signs-resnet,signs-cnn", "--n", "2"],
    "defend": ["defend", "--n", "2", "--defences", "median,gaussian", *SHORT],
}
OF_THE_DEVICE = {"device", "memory_mb", "memory MB"}


@pytest.fixture
def clf():
    with other_device():
        yield load_classifier("signs-cnn", device=NAME)


@pytest.fixture(scope="module")
def there():
    return load_classifier("signs-cnn", device="cpu")
