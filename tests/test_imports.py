"""Imports point one way, heavy packages are imported where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import eccles

PACKAGE = Path(eccles.__file__).parent

# Each may import itself and what stands on an earlier line; those on one line do not know each other.
LAYERS = (
    ("errors",),
    ("units",),
    ("language",),
    ("integrate",),
    ("compile",),
    ("engine",),
    ("objects",),
    ("monitors",),
    ("brian2", "explain", "results"),
    ("sweeps",),
    ("",),  # the names that users import from eccles
    ("lab",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

HEAVY = {
    "dask", "h5netcdf", "jinja2", "llvmlite", "matplotlib", "neo", "pandas", "rich", "scipy", "sympy",
    "typer", "xarray", "zarr",
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Each module: its dotted name, its file and its tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path, ast.parse(path.read_text(encoding="utf-8"))


def imports(module: str, is_package: bool, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The modules that a module imports anywhere in it, except for the eyes of type checkers."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".") if is_package else module.split(".")[:-1]
                above = here[: len(here) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:  # `from eccles import units` imports eccles.units
                inner = PACKAGE.parent.joinpath(*base.split("."), alias.name)
                is_module = base.startswith("eccles") and (
                    inner.is_dir() or inner.with_suffix(".py").exists()
                )
                yield node.lineno, f"{base}.{alias.name}" if is_module else base
        waiting += ast.iter_child_nodes(node)


def layer(module: str) -> str:
    """The layer of a module of the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def misdirected() -> list[str]:
    wrong = []
    for name, path, tree in modules():
        own = layer(name)
        for line, imported in imports(name, path.name == "__init__.py", tree):
            if imported.split(".")[0] != "eccles":
                continue
            other = layer(imported)
            if other != own and RANK[other] >= RANK[own]:
                wrong.append(f"{path.relative_to(PACKAGE.parent)}:{line} imports {imported}")
    return wrong


def test_every_module_belongs_to_a_layer():
    assert {layer(name) for name, _, _ in modules()} <= set(RANK)


def test_imports_point_one_way():
    assert misdirected() == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import eccles.objects.network", ["eccles.objects.network"]),
        ("from eccles import monitors, __version__", ["eccles.monitors", "eccles"]),
        ("from . import lower", ["eccles.compile.lower"]),
        ("from ..objects.network import run", ["eccles.objects.network"]),
        ("from .. import objects", ["eccles.objects"]),
        ("def f():\n    from eccles.cli import main", ["eccles.cli"]),
        ("if TYPE_CHECKING:\n    from eccles.cli import main\nelse:\n    import eccles.lab", ["eccles.lab"]),
        ("try:\n    import scipy.linalg\nexcept ImportError:\n    pass", ["scipy.linalg"]),
    ],
)
def test_the_walk_finds_imports_of_every_form(text, found):
    assert [name for _, name in imports("eccles.compile.emit", False, ast.parse(text))] == found


def test_llvmlite_is_imported_by_the_llvm_modules_alone():
    users = {
        str(path.relative_to(PACKAGE))
        for name, path, tree in modules()
        for _, imported in imports(name, path.name == "__init__.py", tree)
        if imported.split(".")[0] == "llvmlite"
    }
    assert users
    assert all(user.startswith("compile/llvm") for user in users), users


@pytest.mark.parametrize(
    "statement",
    [
        "import eccles",
        "from eccles import *",
        "from eccles.brian2 import *",
        "from eccles.brian2 import *\n"
        "G = NeuronGroup(3, 'dv/dt = -v/(10*ms) : 1', method='exact')\n"
        "M = StateMonitor(G, 'v', record=True)\n"
        "run(1*ms)",
        "from eccles import *\n"
        "G = NeuronGroup(3, 'dv/dt = -v/(10*ms) : 1', threshold='v > 1', reset='v = 0')\n"
        "S = Synapses(G, G, 'w : 1', on_pre='v += w')\n"
        "S.connect()\n"
        "G.v = 2\n"
        "run(1*ms)\n"
        "explain()",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(statement):
    allowed = {"llvmlite"} if "run(" in statement else set()
    script = f"{statement}\nimport sys\nprint(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = set(done.stdout.split("\n\n")[-1].split())
    assert "numpy" in loaded
    assert loaded & HEAVY <= allowed
