"""Who may import whom: the table in ARCHITECTURE.md and the code say the same."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "conformance"


def layers():
    """Module -> row number, as the table says."""
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ((?:`\w+` ?)+)\|", table, re.MULTILINE)
    return {name: place for place, (_, names) in enumerate(rows) for name in re.findall(r"`(\w+)`", names)}


def modules():
    """Every top-level module or package of ours."""
    return {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {
        "__init__",
        "_data",
    }


def files(module):
    """The files of a module or package."""
    folder = PACKAGE / module
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{module}.py"]


def imported(path):
    """Our modules that a file imports when it runs; imports for types only do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "conformance":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("conformance."):
            yield node.module.split(".")[1]


def test_the_table_names_every_module():
    assert modules() == set(layers())


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_only_from_its_own_row_and_above(module):
    rows = layers()
    for path in files(module):
        for other in set(imported(path)) - {"__version__"}:
            if module == "relay":
                assert other in {"relay", "errors"}, f"{path.name} imports {other}"
            elif other != "relay":
                assert rows[other] <= rows[module], f"{path.name} imports {other}"
            else:
                assert module in {"cli", "suite", "commands"}, f"{path.name} imports relay"
