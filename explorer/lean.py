"""torchvision without torch's compiler, which it loads for one question of one of its operations: a thousand modules
and 150 MB that nothing here needs. Whoever does ask for the compiler, later or meanwhile, gets it.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"
QUESTION = "is_compile_supported"  # in its utils


class _StandIn(ModuleType):
    """A module of the compiler that is loaded once something of it is asked for; one question is put off."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import itself looks for
            raise AttributeError(name)
        if name == QUESTION:
            return _asked_when_called
        return getattr(_compiler(self.__name__), name)


def _asked_when_called(*args: Any) -> Any:
    return getattr(_compiler(f"{COMPILER}.utils"), QUESTION)(*args)


def _compiler(name: str) -> ModuleType:
    """The module of this name, loaded now."""
    _remove()
    return importlib.import_module(name)


def _remove() -> None:
    for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
        del sys.modules[name]


@contextmanager
def without_compiler() -> Iterator[None]:
    """Inside, an import does not load torch's compiler, unless more is asked of it than that question."""
    if COMPILER not in sys.modules:
        for name in (COMPILER, f"{COMPILER}.utils"):
            sys.modules[name] = _StandIn(name)
    try:
        yield
    finally:
        _remove()


with without_compiler():
    import torchvision  # noqa: F401
