"""Train the bundled classifiers on rendered road signs and on CIFAR-10, and measure them again.

`python -m explorer train signs-resnet` writes assets/signs-resnet.safetensors and its entry in the manifest;
`python -m explorer evaluate signs-resnet` recomputes the figures that the manifest states.
"""

from explorer.training.evaluation import N_SPARSE, Evaluation, SparseAccuracy, evaluate, measure_sparse, sparse_attacks
from explorer.training.pictures import Pictures
from explorer.training.recipes import RECIPES, Recipe
from explorer.training.trainer import train

__all__ = [
    "N_SPARSE",
    "RECIPES",
    "Evaluation",
    "Pictures",
    "Recipe",
    "SparseAccuracy",
    "evaluate",
    "measure_sparse",
    "sparse_attacks",
    "train",
]
