"""Settings and fixtures that all tests share."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

# Tiny networks are fastest on one thread; set before PyTorch is imported, for child processes too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["WANDB_SILENT"] = "true"

# The contract suites' assertions show the values they compared.
pytest.register_assert_rewrite("lnas.testing")

_DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the end-to-end tests: they take longest, and no process is left alone with one of them at the end."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with CIFAR images and benchmark tables, or a skip."""
    root = Path(os.environ.get("LNAS_DATA", _DEFAULT_DATA))
    if not root.is_dir():
        pytest.skip("no data folder: set LNAS_DATA to one with images/ and nb201/")
    return root


@pytest.fixture(scope="session")
def oracle_nets(data_root: Path) -> SimpleNamespace:
    """The small deterministic nets, images and labels on which the papers' own code was run."""
    return SimpleNamespace(**runpy.run_path(str(data_root / "oracles" / "nets.py")))
