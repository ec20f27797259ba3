"""Attacks: one paper, one file. Each is a frozen dataclass of knobs that is called with (network, images, labels)."""

from explorer.attacks.attack import Attack
from explorer.attacks.greedy import Greedy
from explorer.attacks.pgd0 import PGD0
from explorer.attacks.random_search import RandomSearch
from explorer.attacks.sigma_zero import SigmaZero
from explorer.attacks.sparse import SparseAttack
from explorer.attacks.sparse_pgd import SparsePGD
from explorer.attacks.sparsefool import SparseFool

__all__ = [
    "ATTACKS",
    "PGD0",
    "Attack",
    "Greedy",
    "RandomSearch",
    "SigmaZero",
    "SparseAttack",
    "SparseFool",
    "SparsePGD",
]

ATTACKS: dict[str, type[Attack]] = {
    "sparse": SparseAttack,  # arXiv 2506.17250, with pruning and polishing of our own
    "greedy": Greedy,  # ours
    "random": RandomSearch,  # arXiv 2006.12834
    "sigma-zero": SigmaZero,  # arXiv 2402.01879
    "sparsefool": SparseFool,  # arXiv 1811.02248
    "pgd0": PGD0,  # arXiv 1909.05040
    "sparse-pgd": SparsePGD,  # arXiv 2405.05075
}
