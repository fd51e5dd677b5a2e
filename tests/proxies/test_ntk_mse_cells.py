"""Regression with the kernel of the cells' weights: by hand, and against the released code's own values."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lnas.proxies.jacobian import OUTSIDE_CELLS, weight_jacobian
from lnas.proxies.ntk_grams import CellGrams, cell_grams
from lnas.proxies.ntk_mse_cells import ntk_mse_cells

FAST = settings(deadline=None, max_examples=25)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def grams_of(train: Tensor, test: Tensor) -> CellGrams:
    return CellGrams(train @ train.T, test @ train.T)


def test_by_hand() -> None:
    """Targets are (1/2, -1/2) and its negative; the test batch's two labels are equal, so that its own are zero."""
    grams = CellGrams(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, 0.0], [1.0, 1.0]]))
    # Predictions (1/2, -1/2) and 1/2 (1/2, -1/2) - (1/2, -1/2).
    found = ntk_mse_cells(grams, torch.tensor([0, 1]), torch.tensor([0, 0]))
    assert found == pytest.approx((1 / 2 + 1 / 8) / 2)


@FAST
@given(st.integers(0, 2**32 - 1), st.permutations(range(5)))
def test_order_of_images_and_names_of_classes_do_not_matter(seed: int, order: list[int]) -> None:
    train, test = drawn(seed, 5, 30), drawn(seed + 1, 3, 30)
    labels, test_labels = torch.tensor([0, 1, 2, 1, 0]), torch.tensor([2, 0, 1])
    found = ntk_mse_cells(grams_of(train[order], test), labels[order] * 3 + 1, test_labels * 3 + 1)
    assert found == pytest.approx(ntk_mse_cells(grams_of(train, test), labels, test_labels), rel=1e-8)


def test_what_is_fitted_has_no_error() -> None:
    train, labels = drawn(0, 5, 30), torch.tensor([0, 1, 2, 1, 0])
    assert ntk_mse_cells(grams_of(train, train), labels, labels) < 1e-20


@pytest.mark.parametrize("train", [torch.ones(2, 2), torch.zeros(2, 2), torch.full((2, 2), math.nan)])
def test_a_singular_kernel_gives_no_number(train: Tensor) -> None:
    labels = torch.tensor([0, 1])
    assert ntk_mse_cells(CellGrams(train, torch.eye(2)), labels, labels) == math.inf


@pytest.fixture(scope="module")
def oracle(data_root: Path, oracle_nets: SimpleNamespace) -> SimpleNamespace:
    records = json.loads((data_root / "oracles" / "oracles.json").read_text())
    wanted = [record for record in records if record["metric"] == "tegnas_mse"]
    return SimpleNamespace(**vars(oracle_nets), records=wanted)


def released(oracle: SimpleNamespace, record: dict[str, Any]) -> float:
    dtype = getattr(torch, record["dtype"])
    net = oracle.build(record["case"], dtype)
    outside = OUTSIDE_CELLS if record["case"].startswith("nb201:") else frozenset()
    fitted, tested = (weight_jacobian(net, oracle.images(shift=shift, dtype=dtype), outside) for shift in (0.0, 2.0))
    return ntk_mse_cells(cell_grams(fitted, tested), oracle.labels(), (torch.arange(8) + 3) % 10)


@pytest.mark.data
def test_the_released_codes_values(oracle: SimpleNamespace) -> None:
    records = [record for record in oracle.records if record["case"] != "nb201:allnone"]
    assert len(records) == 12
    for record in records:
        tolerance = {"rel": record["tolerance"]["rtol"], "abs": record["tolerance"]["atol"]}
        assert released(oracle, record) == pytest.approx(record["value"], **tolerance), record["case"]


@pytest.mark.data
def test_a_dead_cell_gives_no_number(oracle: SimpleNamespace) -> None:
    dead = [record for record in oracle.records if record["case"] == "nb201:allnone"]
    assert [released(oracle, record) for record in dead] == [math.inf, math.inf]
