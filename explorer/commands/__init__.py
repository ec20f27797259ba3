"""The commands of `python -m explorer`: one file each, with EXAMPLES, add_arguments(parser) and run(args) -> int."""

from explorer.commands import attack, bench, evaluate, evidence, listing, sweep, train

COMMANDS = {
    "attack": attack,
    "bench": bench,
    "sweep": sweep,
    "evidence": evidence,
    "list": listing,
    "train": train,
    "evaluate": evaluate,
}
