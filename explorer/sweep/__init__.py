"""Many settings on many pictures, as batches; what was done is kept in a ledger, so that a sweep can go on later."""

from explorer.sweep.experiments import EXPERIMENTS
from explorer.sweep.ledger import BEGINS, Ledger
from explorer.sweep.plan import grid
from explorer.sweep.run import Subject, Sweep
from explorer.sweep.tables import best_setting, means, pareto_front, spread, to_table, write_table

__all__ = [
    "BEGINS",
    "EXPERIMENTS",
    "Ledger",
    "Subject",
    "Sweep",
    "best_setting",
    "grid",
    "means",
    "pareto_front",
    "spread",
    "to_table",
    "write_table",
]
