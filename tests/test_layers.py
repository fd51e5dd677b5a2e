"""The order of imports, and which packages do without torch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lnas

ROOT = Path(lnas.__file__).parent
RANKS = [
    {"errors", "lazy"},
    {"reading"},
    {"types", "seeds", "threads", "randomness"},
    {"spaces", "stats"},
    {"store", "benchmarks"},
    {"nets", "data", "search", "analysis"},
    {"proxies"},
    {"training"},
    {"export"},
    {"estimators"},
    {"execution", "report"},
    {"pipeline"},
    {"testing"},
    {"cli"},
    {"__main__"},
]
TORCH_FREE = {
    "errors",
    "reading",
    "types",
    "seeds",
    "spaces",
    "stats",
    "store",
    "benchmarks",
    "search",
    "analysis",
    "execution",
    "report",
}
# Imported by the command line before it knows whether there is anything to compute.
CHEAP = (
    "lnas.spaces",
    "lnas.benchmarks",
    "lnas.execution",
    "lnas.search",
    "lnas.data",
    "lnas.nets",
    "lnas.training",
    "lnas.estimators",
    "lnas.pipeline",
    "lnas.cli",
)


def rank_of(part: str) -> int:
    return next(rank for rank, parts in enumerate(RANKS) if part in parts)


def part_of(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").parts[0]


def imported_modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or ""


FILES = [file for file in sorted(ROOT.rglob("*.py")) if file != ROOT / "__init__.py"]


def test_every_part_has_a_rank() -> None:
    assert {part_of(file) for file in FILES} <= set.union(*RANKS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_downwards(file: Path) -> None:
    own = part_of(file)
    for module in imported_modules(file):
        top, _, rest = module.partition(".")
        if top != "lnas" or not rest:
            continue
        other = rest.split(".")[0]
        assert other == own or rank_of(other) < rank_of(own), f"{own} imports {other}"


@pytest.mark.parametrize("file", [f for f in FILES if part_of(f) in TORCH_FREE], ids=lambda f: str(f.relative_to(ROOT)))
def test_torch_free_parts_never_name_torch(file: Path) -> None:
    heavy = {"torch", "torchvision", "lightning", "torchmetrics", "timm"}
    assert not heavy & {module.split(".")[0] for module in imported_modules(file)}


@pytest.mark.parametrize("module", CHEAP)
def test_what_the_command_line_imports_first_brings_no_torch(module: str) -> None:
    import subprocess
    import sys

    code = f"import sys, {module}; assert not {{'torch', 'lightning', 'plotly', 'wandb'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
