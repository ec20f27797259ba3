"""The wheel: installed elsewhere, everything works from an empty folder."""

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import explorer
from explorer.folders import ASSETS, app_file, home, is_installed

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [*PIP, "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    end = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert end.returncode == 0, end.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    command = [*PIP, "install", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def run(installed: Path, cwd: Path, *command: str) -> subprocess.CompletedProcess:
    cwd.mkdir(exist_ok=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "EXPLORER_"))}
    env = own | {"PYTHONPATH": str(installed), "PYTHONUTF8": "1", "XDG_CACHE_HOME": str(cwd.parent / "cache")}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def test_the_wheel_holds_the_package_the_app_and_its_assets_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if "dist-info" not in name}
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "explorer").rglob("*") if path.is_file()}
    beside = [ROOT / "app.py", *(ROOT / ".streamlit").iterdir(), *(ROOT / "assets").rglob("*")]
    shipped = {f"explorer/shipped/{path.relative_to(ROOT).as_posix()}" for path in beside if path.is_file()}
    unneeded = {name for name in code if "__pycache__" in name}
    assert held == (code - unneeded) | {name for name in shipped if not name.endswith(".checkpoint")}


def named(file: str) -> list[str]:
    """The requirements in a file."""
    lines = (ROOT / file).read_text().splitlines()
    return [text for line in lines if (text := re.sub(r"\s*#.*", "", line))]


def test_it_depends_on_what_the_requirements_name(installed):
    (folder,) = installed.glob("*.dist-info")
    about = Distribution.at(folder)
    asked = {*map(Requirement, about.requires)}
    assert {each for each in asked if each.marker is None} == {*map(Requirement, named("requirements.txt"))}
    extra = {Requirement(f"{each}; extra == 'dask'") for each in named("requirements-dask.txt")}
    assert {each for each in asked if each.marker is not None} == extra
    assert about.version == explorer.__version__
    assert [(each.name, each.value) for each in about.entry_points] == [
        ("sparse-attack-explorer", "explorer.__main__:main")
    ]


def test_the_command_works_from_an_empty_folder(installed, tmp_path):
    command = str(installed / "bin" / "sparse-attack-explorer")
    listed = run(installed, tmp_path / "empty", command, "list")
    assert listed.returncode == 0, listed.stderr
    assert "signs-resnet" in listed.stdout
    quick = ["--model", "signs-resnet", "--device", "cpu", "--steps", "20", "--no-polish", "--out", "x"]
    attacked = run(installed, tmp_path / "empty", command, "attack", "stop-1", *quick)
    assert attacked.returncode == 0, attacked.stderr
    assert (tmp_path / "empty" / "x" / "adversarial.png").is_file()


PAGE = """
from streamlit.testing.v1 import AppTest
from explorer.folders import app_file, home, is_installed
from explorer.ui.run_files import folder
assert is_installed(), home()
app = AppTest.from_file(app_file(), default_timeout=120)
app.query_params.update({"steps": "20", "polish": "false"})
app.run()
print([each.value for each in (*app.title, *app.header, *app.exception, *app.error)])
print(folder())
"""


def test_the_page_works_from_an_empty_folder(installed, tmp_path):
    shown = run(installed, tmp_path / "empty", sys.executable, "-c", PAGE)
    assert shown.returncode == 0, shown.stderr
    texts, runs = shown.stdout.splitlines()[-2:]
    assert texts.startswith("['Which pixels change its mind?', 'Stop, "), shown.stdout
    assert runs == str(tmp_path / "cache" / "sparse-attack-explorer" / "runs"), "not within the installed package"
    assert not list((tmp_path / "empty").iterdir())


def test_in_the_repository_all_is_where_it_lies():
    assert not is_installed()
    assert home() == ROOT
    assert app_file() == ROOT / "app.py"
    assert ASSETS == ROOT / "assets"
