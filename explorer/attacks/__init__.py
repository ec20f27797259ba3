"""Attacks: one paper, one file. Each is a frozen dataclass of knobs that is called with (network, images, labels)."""

from explorer.attacks.sigma_zero import SigmaZero
from explorer.attacks.sparse import SparseAttack

ATTACKS = {
    "sparse": SparseAttack,  # arXiv 2506.17250, with pruning and polishing of our own
    "sigma-zero": SigmaZero,  # arXiv 2402.01879
}
