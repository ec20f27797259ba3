"""What comes from outside comes in by one door of each kind: these calls stand nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "explorer"
DOORS = {  # a call, or an attribute, as it is written -> the files that may hold it
    "Pillow.open": {"images/decoding.py"},
    "Image.open": set(),
    "np.load": set(),
    "pickle.load": set(),
    "pickle.loads": set(),
    "pd.read_pickle": set(),
    "torch.load": {"classifiers/imagenet.py", "training/trainer.py"},  # see below
    "eval": set(),
    "exec": set(),
    "spec.loader.exec_module": {"user_code.py"},
    "load_tensors": {"classifiers/bundled.py"},  # safetensors' own, of weights whose sum is known
    "read_tensors": {"classifiers/own.py"},
    "urllib.request.urlopen": {"fetching.py"},
    "st.query_params": {"ui/link.py"},
    "st.html": {  # they escape all
        "ui/compare/transfer.py",
        "ui/dataset/gallery.py",
        "ui/pins.py",
        "ui/room/teach.py",
        "ui/room/wall.py",
    },
    "os.system": set(),
    "zipfile.ZipFile.extractall": set(),
}


def written(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node), node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.AST]:
    files = ROOT.rglob("*.py")
    return {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}


@pytest.mark.parametrize("door", DOORS)
def test_there_is_one_door_of_each_kind(door, trees):
    found = {name for name, tree in trees.items() for said, _ in written(tree) if said == door}
    assert found == DOORS[door]


def test_torch_reads_numbers_only(trees):
    """Weights that torchvision's own site has, whose sum is checked before, and checkpoints that training has made."""
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                options = {each.arg: ast.unparse(each.value) for each in node.keywords}
                assert options.get("weights_only") == "True"


def test_nothing_is_shown_as_html(trees):
    for tree in trees.values():
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html")
