from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, Benchmark, Card, TabularBenchmark, load_benchmark, write_table
from lnas.cli import command_parser
from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import Estimator, RecordedAccuracy
from lnas.estimators.tabular import TabularEstimator
from lnas.nets import NetBuilder
from lnas.search import RandomSearch
from lnas.spaces import NatsTopologySpace
from lnas.stats import measure_names
from lnas.store import protocol_key
from lnas.testing import EstimatorContract, TinySpace
from lnas.types import Arch, Estimate

SPACE = TinySpace()
CARD = Card("tiny table", "Made up.", "Here.", "None.", "By hand.")
MEAN, SEED_1, UNTIMED = (
    AccuracyKey.parse(text) for text in ("made/up/valid@2/mean", "made/up/valid@2/1", "made/up/test@2/mean")
)
GENES = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 1, 0]])
COLUMNS = {
    MEAN: np.array([10.0, 20.0, 30.0, 40.5]),
    SEED_1: np.array([11.0, np.nan, 31.0, 41.0]),
    UNTIMED: np.array([9.0, 19.0, 29.0, 39.0]),
}
SECONDS = {MEAN: np.array([1.0, 2.0, 3.0, 4.5]), SEED_1: np.array([1.0, np.nan, 3.0, np.nan])}


def table(**changes: Any) -> TabularBenchmark:
    parts = {"card": CARD, "space": SPACE, "genes": GENES, "accuracies": COLUMNS, "seconds": SECONDS, **changes}
    return TabularBenchmark(**parts)


def arch(text: str) -> Arch:
    return SPACE.parse(text)


def estimate(key: AccuracyKey, text: str) -> Estimate:
    (number,) = TabularEstimator(table(), key).estimate(arch(text), seed=0).values()
    return number


class TestContract(EstimatorContract):
    @pytest.fixture
    def estimator(self) -> Estimator:
        return TabularEstimator(table(), SEED_1)

    @pytest.fixture
    def archs(self) -> Sequence[Arch]:
        return [arch(text) for text in ("000", "001", "110", "111")]


def test_the_number_is_the_tables_and_the_time_the_recorded_one() -> None:
    assert estimate(MEAN, "110") == Estimate(40.5, seconds=4.5)
    assert estimate(SEED_1, "010") == Estimate(31.0, seconds=3.0)


@pytest.mark.parametrize(("key", "text", "accuracy"), [(UNTIMED, "110", 39.0), (SEED_1, "110", 41.0)])
def test_where_no_time_was_recorded_it_is_zero(key: AccuracyKey, text: str, accuracy: float) -> None:
    assert estimate(key, text) == Estimate(accuracy, seconds=0.0)


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        (MEAN, "111", "UsageError: benchmark 'tiny table': expected one of its 4 architectures, got 'tiny:1-1-1'."),
        (SEED_1, "001", "expected a seed it was trained with: mean, got 1."),
    ],
)
def test_what_the_table_does_not_know_is_a_failure_with_its_reason(key: AccuracyKey, text: str, reason: str) -> None:
    number = estimate(key, text)
    assert (number.status, number.seconds) == ("failed", 0.0)
    assert reason in number.detail["error"]


def test_an_architecture_of_another_space_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"space 'tiny': expected an arch of 'tiny', got 'nats_topology:0-0-0-0-0-0'\."
    ):
        TabularEstimator(table(), MEAN).estimate(Arch("nats_topology", (0,) * 6), seed=0)


def test_a_key_may_be_its_text_and_names_the_measure() -> None:
    estimator = TabularEstimator(table(), str(MEAN))
    assert estimator.measures == {"table:made/up/valid@2/mean": True}
    assert estimator.protocol == TabularEstimator(table(), MEAN).protocol


def test_an_unknown_key_is_answered_with_the_known_at_once() -> None:
    known = f"It has: {', '.join(map(str, COLUMNS))}."
    with pytest.raises(UsageError) as caught:
        TabularEstimator(table(), "made/up/valid@200/mean")
    assert str(caught.value) == f"benchmark 'tiny table' has no accuracies under 'made/up/valid@200/mean'. {known}"


def test_a_text_that_is_no_key_is_refused() -> None:
    with pytest.raises(UsageError, match="expected RELEASE/DATASET/SPLIT@EPOCHS/SEED"):
        TabularEstimator(table(), "valid@2")


def changed(columns: Mapping[AccuracyKey, np.ndarray]) -> dict[AccuracyKey, np.ndarray]:
    return {key: np.add(values, [0, 0, 0, 0.5]) for key, values in columns.items()}


@pytest.mark.parametrize(
    "other",
    [
        TabularEstimator(table(), SEED_1),
        TabularEstimator(table(accuracies=changed(COLUMNS)), MEAN),
        TabularEstimator(table(seconds=changed(SECONDS)), MEAN),
        TabularEstimator(table(genes=GENES[::-1]), MEAN),
        TabularEstimator(table(seconds={}), MEAN),
        TabularEstimator(table(card=Card("other table", "", "", "", "")), MEAN),
        TabularEstimator(table().averaged_over_twins(lambda arch: arch.genes[0]), MEAN),
    ],
    ids=["key", "accuracy", "cost", "architectures", "no cost", "name", "twins"],
)
def test_whatever_changes_a_number_changes_the_protocol(other: TabularEstimator) -> None:
    assert protocol_key(other.protocol) != protocol_key(TabularEstimator(table(), MEAN).protocol)


def test_the_same_table_again_is_the_same_protocol() -> None:
    copied = table(genes=GENES.copy(), accuracies={key: values.copy() for key, values in COLUMNS.items()})
    described = table(card=Card("tiny table", "Told otherwise.", "", "", ""))
    expected = protocol_key(TabularEstimator(table(), MEAN).protocol)
    assert protocol_key(TabularEstimator(copied, MEAN).protocol) == expected
    assert protocol_key(TabularEstimator(described, MEAN).protocol) == expected


class Formula(Benchmark):
    """A benchmark that is no table, and knows the time of half of its architectures."""

    card = Card("formula", "", "", "", "")
    space = SPACE

    def keys(self) -> tuple[AccuracyKey, ...]:
        return (MEAN,)

    def query(self, arch: Arch, key: AccuracyKey) -> float:
        return 10.0 * sum(arch.genes)

    def cost(self, arch: Arch, key: AccuracyKey) -> float:
        if arch.genes[0]:
            raise UsageError("no time")
        return 2.0


def test_any_benchmark_will_do() -> None:
    estimator = TabularEstimator(Formula(), MEAN)
    numbers = [estimator.estimate(arch(text), seed=0)[estimator.measure] for text in ("011", "110")]
    assert numbers == [Estimate(20.0, seconds=2.0), Estimate(20.0, seconds=0.0)]
    assert estimator.protocol.column == ""
    with pytest.raises(
        UsageError, match=r"benchmark 'formula' has no accuracies under 'made/up/test@2/mean'\. It has: "
    ):
        TabularEstimator(Formula(), UNTIMED)


@pytest.mark.data
def test_published_accuracies_of_a_published_cell(data_root: Any) -> None:
    """The space's best by test on CIFAR-10: 94.37, as NATS-Bench states."""
    path = data_root / "nb201" / "nb201_accuracy.parquet"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    benchmark = load_benchmark("nats_tss", path)
    estimator = TabularEstimator(benchmark, "nats-1.0/cifar10/ori-test@200/mean")
    best = max(estimator.estimate(arch, seed=0)[estimator.measure].value for arch in benchmark.archs())
    assert round(best, 2) == 94.37
    assert benchmark.space.name == NatsTopologySpace().name


def test_what_is_no_benchmark_is_said() -> None:
    with pytest.raises(UsageError, match=r"expected a benchmark, got 'str'.*load_benchmark"):
        TabularEstimator("digits", "digits-1.0/digits/test@8/mean")  # type: ignore[arg-type]


def test_a_measure_may_have_a_name_for_rank_expressions() -> None:
    estimator = TabularEstimator(table(), MEAN, "val@2")
    assert estimator.measures == {"val@2": True}
    assert estimator.estimate(arch("110"), seed=0) == {"val@2": Estimate(40.5, seconds=4.5)}
    assert measure_names(f"{estimator.measure}+snip") == ["val@2", "snip"]


@pytest.mark.parametrize("name", ["", "2@val", "val 2", "a+b", "(val)", "vote(a,b)", " val", 2])
def test_a_name_that_rank_expressions_cannot_say_is_refused(name: Any) -> None:
    with pytest.raises(UsageError, match=rf"measure=\.\.\.\): expected one name .* got {re.escape(repr(name))}\."):
        TabularEstimator(table(), MEAN, name)


CONFIG = """
data: DigitsData
estimators:
- class_path: RecordedAccuracy
  init_args: {benchmark: digits, key: digits-1.0/digits/val@8/mean, measure: val@8}
"""


def test_a_config_names_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(CONFIG)
    parser = command_parser("score")
    parsed = parser.instantiate(parser.parse_args(["--config", str(tmp_path / "tiny.yaml")])).as_dict()
    (factory,) = parsed["estimators"]
    estimator = factory(NetBuilder(), parsed["data"])
    assert isinstance(estimator, RecordedAccuracy)
    assert estimator.measures == {"val@8": True}
    same = TabularEstimator(load_benchmark("digits"), "digits-1.0/digits/val@8/mean")
    (cell,) = RandomSearch(NatsTopologySpace(), seed=0).ask(1)
    assert estimator.protocol == same.protocol
    assert estimator.estimate(cell, seed=0)["val@8"] == same.estimate(cell, seed=0)[same.measure]


def test_a_table_of_ones_own_is_named_by_its_file_and_space(tmp_path: Path) -> None:
    (tmp_path / "own.parquet").write_bytes(write_table(table()))
    estimator = RecordedAccuracy(
        NetBuilder(), DigitsData(), "tiny table", str(MEAN), str(tmp_path / "own.parquet"), SPACE
    )
    assert estimator.estimate(arch("110"), seed=0) == {f"table:{MEAN}": Estimate(40.5, seconds=4.5)}
