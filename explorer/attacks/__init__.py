"""Attacks: one paper, one file. Each is a frozen dataclass of knobs that is called with (network, images, labels)."""

from explorer.attacks.attack import Attack
from explorer.attacks.greedy import Greedy
from explorer.attacks.random_search import RandomSearch
from explorer.attacks.sigma_zero import SigmaZero
from explorer.attacks.sparse import SparseAttack

__all__ = ["ATTACKS", "Attack", "Greedy", "RandomSearch", "SigmaZero", "SparseAttack"]

ATTACKS: dict[str, type[Attack]] = {
    "sparse": SparseAttack,  # arXiv 2506.17250, with pruning and polishing of our own
    "greedy": Greedy,  # ours
    "random": RandomSearch,  # arXiv 2006.12834
    "sigma-zero": SigmaZero,  # arXiv 2402.01879
}
