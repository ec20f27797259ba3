"""Numbers that nobody should give on the command line: refused before any work, in one short line."""

import argparse

import pytest

from explorer.__main__ import LONGEST, build_parser, main
from explorer.commands import options

ODD = [
    "",
    " 1",
    "x",
    "nan",
    "inf",
    "1e3",
    "0x10",
    "1_0",
    "\u0663",
    "--1",
    "9" * 30,
    "-" + "9" * 30,
    "9" * 5000,
    "\ud800",
]


def counts() -> list[tuple[str, str]]:
    """Each command's options that take a whole number."""
    (commands,) = [each for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction)]
    return [
        (name, action.option_strings[0])
        for name, command in commands.choices.items()
        for action in command._actions
        if action.type is options.whole
    ]


def test_no_option_reads_its_number_by_itself():
    (commands,) = [each for each in build_parser()._actions if isinstance(each, argparse._SubParsersAction)]
    types = {action.type for command in commands.choices.values() for action in command._actions}
    assert not {int, float} & types
    assert len(counts()) > 20


@pytest.mark.parametrize(("command", "option"), counts())
def test_a_whole_number_is_digits(command, option, capsys):
    for odd in ODD:
        with pytest.raises(SystemExit) as ended:
            main([command, f"{option}={odd}"])
        out, err = capsys.readouterr()
        assert (ended.value.code, out, len(err.splitlines())) == (2, "", 1), odd
        assert len(err) < LONGEST + 100


SETTINGS = ["--steps", "--k", "--queries", "--seed", "--max-pixels", "--a", "--lam", "--max-change"]


@pytest.mark.parametrize("option", SETTINGS)
def test_settings_of_an_attack_are_numbers(option, capsys):
    kind = {"--k": "pgd0", "--queries": "random"}.get(option, "sparse")
    given = ["attack", "stop-1", "--attack", kind, "--out", "out"]
    for odd in [*ODD, "-1"]:
        if odd in (" 1", "1e3", "1_0", "\u0663", "nan", "inf") and option in ("--a", "--lam", "--max-change"):
            continue  # numbers of Python, of which those that are none are refused by their limits
        assert main([*given, "--model", "nowhere", f"{option}={odd}"]) == 2
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines())) == ("", 1), odd
        assert "no classifier" not in err, odd
        assert len(err) < LONGEST + 100


@pytest.mark.parametrize("options", [["--n", "0"], ["--n", "-1"], ["--trials", "0"], ["--check", "-1"]])
def test_a_search_on_no_picture_is_one_line(options, capsys, tmp_path):
    given = ["--model", "nowhere", "--storage", f"sqlite:///{tmp_path}/x.db", "--check", "1", *options]
    assert main(["tune", *given]) == 2
    assert "must be at least 1" in capsys.readouterr().err
