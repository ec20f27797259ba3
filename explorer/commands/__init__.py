"""The commands of `python -m explorer`: one file each, with EXAMPLES, add_arguments(parser) and run(args) -> int."""

from explorer.commands import (
    attack,
    attention,
    bench,
    dataset,
    defend,
    evaluate,
    evidence,
    experiment,
    listing,
    serve,
    sweep,
    train,
    transfer,
    tune,
)

COMMANDS = {
    "serve": serve,
    "attack": attack,
    "bench": bench,
    "dataset": dataset,
    "sweep": sweep,
    "tune": tune,
    "experiment": experiment,
    "evidence": evidence,
    "attention": attention,
    "defend": defend,
    "transfer": transfer,
    "list": listing,
    "train": train,
    "evaluate": evaluate,
}
