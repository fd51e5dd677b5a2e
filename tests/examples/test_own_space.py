"""The shipped example of a space of one's own passes the suite that its author would run, and a search runs in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from configs.examples.own_space import PerceptronSpace, build_perceptron
from lnas.cli import main
from lnas.spaces import SearchSpace
from lnas.store import Store
from lnas.testing import SpaceContract

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "configs" / "examples" / "own_space.yaml"


class TestPerceptronSpace(SpaceContract):
    @pytest.fixture
    def space(self) -> SearchSpace:
        return PerceptronSpace()


def test_the_network_is_the_one_that_was_chosen() -> None:
    net = build_perceptron(PerceptronSpace().parse("32:relu:16:tanh"), 7)
    linear = [module for module in net.modules() if isinstance(module, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(192, 32), (32, 16), (16, 7)]
    assert linear[-1] is net.classifier


def test_a_search_runs_in_it(tmp_path: Path) -> None:
    """With a tenth of the shipped config's work, and the shipped command but for that."""
    small = ["--candidates", "4", "--retraining.epochs", "1", "--retraining.repeats", "1", "--quiet", "--wandb", "off"]
    assert main(["run", "--config", str(EXAMPLE), *small, "--output", str(tmp_path)]) == 0
    store = Store(tmp_path / "store.sqlite")
    try:
        assert len({pick.arch for pick in store.picks("run")}) == 3
    finally:
        store.close()
    assert "perceptron" in (tmp_path / "report.html").read_text()


def test_it_is_as_short_as_the_readme_says() -> None:
    assert len((EXAMPLE.parent / "own_space.py").read_text().splitlines()) <= 45
