"""`python -m explorer COMMAND ...`: everything that the project does without a browser."""

import argparse
import io
import sys
from collections.abc import Sequence
from typing import NoReturn

from explorer.commands import COMMANDS
from explorer.memory import reuse_freed
from explorer.pipeline import one_line

LONGEST = 600  # characters of a message, which may repeat what was given


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {_one_line(message).removesuffix('.')}. See --help.\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="python -m explorer", description="Sparse adversarial attacks, explained pixel by pixel.")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=command.__doc__.splitlines()[0],
            description=command.__doc__,
            epilog=command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Bad input is 2 and one line on stderr."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console may lack λ or →, which says nothing about the input
    args = build_parser().parse_args(arguments)
    reuse_freed()
    try:
        return args.run(args)
    except (ValueError, OSError) as error:
        print(f"python -m explorer {args.command}: {_one_line(_told(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _told(error: Exception) -> str:
    """What a person needs to read of it."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return str(error)


def _one_line(text: str) -> str:
    told = one_line(" ".join(text.split()), "?")
    return told if len(told) <= LONGEST else f"{told[:LONGEST]} …"


if __name__ == "__main__":
    sys.exit(main())
