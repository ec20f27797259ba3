"""The compiler is not loaded, and whoever asks for it gets it: each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(program: str) -> str:
    end = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert end.returncode == 0, end.stderr
    return end.stdout


def test_the_compiler_is_not_loaded():
    loaded = (
        "[name for name in sys.modules if name.startswith(('torch._dynamo', 'torch._inductor', 'triton', 'sympy'))]"
    )
    assert run(f"import sys, explorer, explorer.ui.server; print({loaded})") == "[]\n"


def test_nor_for_any_bundled_network():
    program = (
        "import sys, torch, explorer\n"
        "from explorer.evidence import methods_for\n"
        "for card in explorer.list_classifiers():\n"
        "    if card.source == 'bundled':\n"
        "        methods_for(card.load(), torch.rand(3, *card.input_size))\n"
        "    assert 'torch._dynamo' not in sys.modules, card.name\n"
    )
    run(program)


@pytest.mark.parametrize(
    "asked",
    [
        "import torch._dynamo; assert torch._dynamo.is_compiling() is False",
        "import torch; assert torch._dynamo.is_compiling() is False",
        "import torch; assert torch.compile(lambda x: x + 1, backend='eager')(torch.ones(1)) == 2",
        "from torch._dynamo.utils import is_compile_supported as real\n"
        "from torchvision.ops.roi_align import is_compile_supported as found\n"
        "assert found('cpu') == real('cpu')",
        "from torchvision.ops.roi_align import is_compile_supported as found\nassert found('cpu') in (True, False)\n"
        "import torch._dynamo.utils; assert found('cpu') == torch._dynamo.utils.is_compile_supported('cpu')",
    ],
)
def test_whoever_asks_for_it_gets_it(asked):
    run(f"import explorer\n{asked}")


def test_what_was_loaded_before_stays():
    run("import torch._dynamo as before, explorer, torch._dynamo\nassert torch._dynamo is before")


def test_what_asks_for_more_during_the_import_gets_it():
    run(
        "from explorer.lean import without_compiler\n"
        "with without_compiler():\n    from torch._dynamo import is_compiling\n"
        "import torch._dynamo\nassert is_compiling is torch._dynamo.is_compiling"
    )
