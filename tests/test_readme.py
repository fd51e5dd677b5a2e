"""What the README shows in Python is what the package does."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

BLOCKS = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[1] / "README.md").read_text(), flags=re.DOTALL)


def test_every_import_exists() -> None:
    imported = [node for block in BLOCKS for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    assert imported
    for node in imported:
        assert all(hasattr(import_module(node.module or ""), alias.name) for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("block", [block for block in BLOCKS if "build_supernet" in block or "load_benchmark" in block])
def test_it_runs_as_shown(block: str) -> None:
    """Each line that is a bare expression must give something."""
    names: dict[str, object] = {}
    for statement in ast.parse(block).body:
        if isinstance(statement, ast.Expr):
            assert eval(ast.unparse(statement), names) is not None, ast.unparse(statement)
        else:
            exec(ast.unparse(statement), names)
