"""The README is true: its commands run, its tables are the code's, its house is the one that stands.

`python -m tests.test_docs` writes the tables into the README.
"""

import ast
import csv
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import packages_distributions
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from explorer.__main__ import build_parser
from explorer.attacks import ATTACKS, Attack
from explorer.classifiers import CLASSIFIERS, list_classifiers, load_classifier, own
from explorer.classifiers.bundled import read_manifest
from explorer.commands import COMMANDS
from explorer.commands.options import DEFAULT_PRESET, limits, presets, shown
from explorer.defences import DEFENCES
from explorer.evidence import METHODS, methods_for
from explorer.knobs import Knob, knobs
from explorer.limits import Limits, variable
from explorer.studies import EXPERIMENTS
from explorer.ui.experiments import SETTING_NAMES, files
from tests import measured_tables
from tests.measured_tables import markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CI = (ROOT / ".ci" / "run").read_text().splitlines()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
SHELL = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


def attack_table(name: str) -> list[str]:
    """The settings that an attack has of its own, or has otherwise than the others, with its presets."""
    kind, given = ATTACKS[name], {each: of for each, of in presets(name).items() if each != DEFAULT_PRESET}
    changed = {setting for of in given.values() for setting in of}
    own = [each for each in knobs(kind).values() if each != knobs(Attack).get(each.name) or each.name in changed]
    return knob_table(own, given)


def knob_table(of: Iterable[Knob], given: Mapping[str, Mapping[str, object]] = MappingProxyType({})) -> list[str]:
    rows = []
    for knob in of:
        changed = [f"`{shown(preset[knob.name])}`" if knob.name in preset else "" for preset in given.values()]
        valid = ", ".join(f"`{each}`" for each in knob.choices) or limits(knob) or "on, off"
        rows.append([f"`{knob.name}`", f"`{shown(knob.default)}`", *changed, valid, knob.help])
    return markdown(["setting", "default", *(f"`{name}`" for name in given), "valid", "what it does"], rows)


def defence_table() -> list[str]:
    rows = []
    for name, kind in DEFENCES.items():
        settings = [
            f"`{each.name}` = `{shown(each.default)}`, {limits(each)}: {each.help}" for each in knobs(kind).values()
        ]
        rows.append(
            [f"`{name}`", kind.summary, " ".join(settings), kind.source, "its own" if kind.differentiable else ""]
        )
    return markdown(["name", "what it does", "settings", "source", "gradient"], rows)


def classifier_table() -> list[str]:
    head = ["name", "architecture", "parameters", "accuracy", "robust accuracy", "sparse accuracy", "what it is"]
    rows, entries = [], read_manifest()
    for card in list_classifiers():
        if card.name in entries:
            entry = entries[card.name]
            robust = "" if entry.robust_accuracy is None else f"{100 * entry.robust_accuracy:.2f} %"
            accuracy, sparse = f"{100 * entry.accuracy:.2f} % of {entry.evaluated_on:,}", ""
            if entry.sparse_accuracy is not None:
                at = f"{entry.sparse_evaluated_on:,}, {entry.sparse_pixels} pixels"
                sparse = f"{100 * entry.sparse_accuracy:.1f} % of {at}"
            figures = [f"{entry.parameters:,}", accuracy, robust, sparse]
            rows.append([f"`{card.name}`", card.architecture, *figures, card.summary])
    return markdown(head, rows)


def imagenet_table() -> list[str]:
    head = ["name", "parameters", "download", "input", "accuracy", "what it is"]
    rows = [
        [
            f"`{card.name}`",
            f"{card.parameters:,}",
            f"{card.download.n_bytes / 1e6:,.0f} MB",
            "{} × {}".format(*card.input_size),
            f"{100 * card.accuracy:.1f} %",
            f"{card.architecture}: {card.summary}",
        ]
        for card in CLASSIFIERS.values()
        if card.source == "torchvision"
    ]
    return markdown(head, rows)


def method_table() -> list[str]:
    bundled = [card.name for card in list_classifiers() if card.source == "bundled"]
    networks = {name: load_classifier(name, device="cpu") for name in bundled}
    problems = {name: methods_for(each, torch.zeros(3, *each.input_size)) for name, each in networks.items()}
    head = ["method", "what it does", "shares add up", "not for"]
    rows = []
    for name, method in METHODS.items():
        missing = ", ".join(f"`{network}`" for network in networks if problems[network][name])
        rows.append([f"`{name}`", f"{method.title}: {method.summary}", "yes" if method.complete else "", missing])
    return markdown(head, rows)


def limit_table() -> list[str]:
    rows = [
        [f"`{variable(name)}`", f"{each.default:,}", f"{each.low:,} to {each.high:,}", each.help]
        for name, each in knobs(Limits).items()
    ]
    return markdown(["variable", "default", "valid", "what it limits"], rows)


def experiment_table(name: str, file: Path) -> list[str]:
    """The means that were measured, from the file that the page shows as well; before them, of how many pictures."""
    experiment, lines = EXPERIMENTS[name], list(csv.DictReader(file.read_text().splitlines()))
    rows = [
        [*(line[knob] for knob in experiment.by), *(measured(line[column]) for column in experiment.columns)]
        for line in lines
    ]
    table = markdown([*(SETTING_NAMES[knob] for knob in experiment.by), *experiment.columns.values()], rows)
    return [f"{lines[0]['runs']} pictures:", "", *table]


def measured(text: str) -> str:
    return f"{float(text):,.3g}" if text and float(text) < 1000 else f"{float(text):,.0f}" if text else "–"


def experiments_document() -> str:
    """docs/experiments.md, from the experiments' own words and the measured tables."""
    parts = [
        "# Five questions, measured",
        "What the parameters of the method do, on correctly classified pictures of rendered signs (`signs-resnet`) and "
        "of CIFAR-10 (a ResNet-20 of 92 % accuracy, which is not part of the project). The first four are about the "
        "optimised stage alone, without the pruning and polishing that follow it here and that the paper does not "
        "have; the last one is about the whole attack. Pixels and confidence are means over the fooled pictures. The "
        "page *Experiments* draws these tables.",
    ]
    for name, experiment in EXPERIMENTS.items():
        parts += filter(None, [f"## {experiment.title}", experiment.question, experiment.finding])
        parts += [f"```sh\npython -m explorer experiment {name} --model signs-resnet\n```"]
        for title, file in files(name).items():
            parts.append("\n".join([f"**{title}**, ", *experiment_table(name, file)]).replace(", \n", ", ", 1))
    return "\n\n".join(parts) + "\n"


TABLES = {
    "attacks": lambda: knob_table(knobs(Attack).values()),
    **{f"attack {name}": partial(attack_table, name) for name in ATTACKS},
    "classifiers": classifier_table,
    "defences": defence_table,
    "imagenet": imagenet_table,
    "limits": limit_table,
    "methods": method_table,
    "evidence": lambda: measured_tables.by_method("signs-resnet"),
    "networks": measured_tables.by_network,
    "transfer signs": lambda: measured_tables.transfer("signs"),
    "transfer cifar10": lambda: measured_tables.transfer("cifar10"),
    "defended": lambda: measured_tables.defended("signs-resnet"),
    "measured": measured_tables.attacks,
    "truth": lambda: measured_tables.truth("signs-resnet"),
    "attention": lambda: measured_tables.attention("signs-vit"),
}
DOCUMENTS = {"experiments": experiments_document, "evidence": measured_tables.document}


def block(name: str) -> re.Pattern:
    """Where a table stands in the README: mark, table, mark."""
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_the_codes(name):
    found = block(name).search(README)
    assert found, f"the README has no place for this table: <!-- {name} --> and <!-- end -->"
    assert found[2].splitlines() == TABLES[name](), "python -m tests.test_docs writes the tables"


def test_the_first_two_commands_run_the_app_and_the_tests_as_ci_does():
    run, test = SHELL[:2]
    assert run.endswith("streamlit run app.py")
    assert run.split(" && ")[0] == test.split(" && ")[0]
    parts = test.split(" && ")
    assert [line for line in CI if line in parts] == parts
    assert CI[-1] == parts[-1]


def test_ci_checks_style_and_imports():
    assert {".venv/bin/ruff check .", ".venv/bin/ruff format --check .", ".venv/bin/lint-imports"} < {*CI}
    assert "set -euo pipefail" in CI


def explorer_commands() -> list[str]:
    examples = "\n".join(command.EXAMPLES for command in COMMANDS.values()).splitlines()
    lines = [line.strip() for line in (*SHELL, *examples, *re.findall(r"`(python -m explorer [^`]*)`", README))]
    return sorted({line for line in lines if line.startswith("python -m explorer") and "COMMAND" not in line})


@pytest.mark.parametrize("line", explorer_commands())
def test_every_command_in_the_docs_is_understood(line):
    args = build_parser().parse_args(shlex.split(line)[3:])
    assert args.command in COMMANDS


def test_the_python_example_runs(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    (example,) = [text for kind, text in BLOCKS if kind == "python" and "SparseAttack(" in text]
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert "signs-resnet" in printed
    assert re.search(r"^\d+ \d+ (obscuring|leading) ", printed, re.MULTILINE)


def test_the_description_of_ones_own_weights_is_complete():
    (example,) = [text for kind, text in BLOCKS if kind == "json"]
    assert [*json.loads(example)] == [*own.KEYS]


def test_every_entry_of_every_registry_is_named():
    names = [*ATTACKS, *DEFENCES, *METHODS, *COMMANDS, *CLASSIFIERS]
    assert [name for name in names if f"`{name}`" not in README] == []


def test_every_page_and_every_experiment_is_named():
    pages = re.findall(r'title="(\w+)"', (ROOT / "app.py").read_text())
    assert {"Explore", "Tune", "Experiments"} <= {*pages}
    assert [page for page in pages if page not in README] == []
    assert [name for name in EXPERIMENTS if f"python -m explorer experiment {name} " not in README] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_are_what_was_measured(name):
    document = (ROOT / "docs" / f"{name}.md").read_text()
    assert document == DOCUMENTS[name](), "python -m tests.test_docs writes it"


def test_the_house_in_the_readme_is_the_one_that_stands():
    (house,) = [text for kind, text in BLOCKS if text.startswith("app.py")]
    rooms = {match[0] for match in re.findall(r"^  (\w+(\.py|/)) ", house, re.MULTILINE)}
    stand = {each.name + "/" if each.is_dir() else each.name for each in (ROOT / "explorer").iterdir()}
    assert rooms == stand - {"__init__.py", "__pycache__/"}
    floors = {
        room.strip("/").removesuffix(".py"): int(n) for room, n in re.findall(r"^  (\S+) +floor (\d)", house, re.M)
    }
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    for number, layer in enumerate(reversed(contract)):
        for module in layer.split(" | "):
            assert floors.pop(module.removeprefix("explorer.")) == number
    assert floors == {}


def test_links_and_pictures_in_the_readme_exist():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert "assets/screenshot.png" in targets
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_the_app_imports_nothing_that_its_requirements_do_not_bring():
    listed = {re.split(r"[<>=! ]", line)[0].lower() for line in (ROOT / "requirements.txt").read_text().splitlines()}
    packages, missing = packages_distributions(), set()
    for path in [ROOT / "app.py", *(ROOT / "explorer").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in {each.partition(".")[0] for each in names} - {"explorer", *sys.stdlib_module_names}:
                if not listed & {each.lower() for each in packages.get(name, [])}:
                    missing.add(name)
    assert missing == set()


def test_the_container_runs_without_rights_and_reports_its_health():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (user,) = [line for line in lines if line.startswith("USER ")]
    assert user != "USER root"
    assert lines.index(user) < next(number for number, line in enumerate(lines) if line.startswith("CMD "))
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert "/_stcore/health" in "\n".join(lines)


if __name__ == "__main__":
    for name, document in DOCUMENTS.items():
        (ROOT / "docs" / f"{name}.md").write_text(document())
    for name, table in TABLES.items():
        first, old, last = block(name).search(README).groups()
        README = README.replace(first + old + last, first + "\n".join(table()) + "\n" + last)
    (ROOT / "README.md").write_text(README)
