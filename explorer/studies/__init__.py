"""Pictures x networks x attacks x defences x settings -> one tidy table, by one loop that can stop and go on.

bench, resistance and transfer compare attacks, defences and networks; trials tries the labels; experiments holds the
questions about the method; tuning searches the best setting.
"""

from explorer.studies.engines import Engine, Local
from explorer.studies.experiments import EXPERIMENTS
from explorer.studies.ledger import Ledger
from explorer.studies.plan import Terms, grid, version
from explorer.studies.study import Study
from explorer.studies.subject import Subject
from explorer.studies.tables import best_setting, means, pareto_front, spread, to_table, write_table

__all__ = [
    "EXPERIMENTS",
    "Engine",
    "Ledger",
    "Local",
    "Study",
    "Subject",
    "Terms",
    "best_setting",
    "grid",
    "means",
    "pareto_front",
    "spread",
    "to_table",
    "version",
    "write_table",
]
