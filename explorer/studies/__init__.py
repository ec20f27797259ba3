"""Many settings on many pictures, as batches; what was done is kept in a ledger, so that a study can go on later."""

from explorer.studies.experiments import EXPERIMENTS
from explorer.studies.ledger import Ledger
from explorer.studies.plan import grid
from explorer.studies.study import Study, Subject
from explorer.studies.tables import best_setting, means, pareto_front, spread, to_table, write_table

__all__ = [
    "EXPERIMENTS",
    "Ledger",
    "Study",
    "Subject",
    "best_setting",
    "grid",
    "means",
    "pareto_front",
    "spread",
    "to_table",
    "write_table",
]
