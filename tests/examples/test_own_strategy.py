"""The shipped example of a strategy of one's own keeps the laws it must, and a search runs by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.examples.own_strategy import HillClimbing
from lnas.cli import main
from lnas.search import Objective
from lnas.store import Store
from lnas.testing import StrategyContract, TinySpace
from lnas.testing.strategies import MakeStrategy
from lnas.types import Estimate, Trial

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "configs" / "examples" / "own_strategy.yaml"
VALUE = Objective("value", {"value": True})


class TestHillClimbing(StrategyContract):
    @pytest.fixture
    def space(self) -> TinySpace:
        return TinySpace()

    @pytest.fixture
    def make_strategy(self, space: TinySpace) -> MakeStrategy:
        return lambda seed: HillClimbing(space, seed, VALUE, start=3)


def test_it_climbs() -> None:
    strategy = HillClimbing(TinySpace(), 0, VALUE, start=2)
    for _ in range(30):
        strategy.tell([Trial(arch, {"value": Estimate(float(sum(arch.genes)))}) for arch in strategy.ask(1)])
    (child,) = strategy.ask(1)
    assert sum(child.genes) == 2


def test_a_search_runs_by_it(tmp_path: Path) -> None:
    small = ["--rank", "params", "--candidates", "20", "--quiet", "--wandb", "off", "--output", str(tmp_path)]
    assert main(["run", "--config", str(EXAMPLE), *small]) == 0
    store = Store(tmp_path / "store.sqlite")
    try:
        assert len(set(store.candidates("run"))) == 20
        assert store.runs()["run"].settings["search"]["strategy"] == "HillClimbing"
    finally:
        store.close()


def test_it_is_as_short_as_the_readme_says() -> None:
    assert len((EXAMPLE.parent / "own_strategy.py").read_text().splitlines()) <= 35
