"""`lnas bench build` at its smallest: what it keeps, resumes and extends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lnas.benchmarks import MEAN, AccuracyKey, TabularBenchmark, load_benchmark
from lnas.cli import main
from lnas.data import DigitsData
from lnas.errors import RunError, UsageError
from lnas.nets import NetBuilder
from lnas.pipeline.bench.build import build_benchmark
from lnas.pipeline.bench.training import BenchmarkTraining, TrainingTask
from lnas.spaces import NatsTopologySpace
from lnas.training import Retraining
from lnas.types import Arch, Estimate

RECIPE = Retraining(epochs=1, batch_size=256, lr=0.1, repeats=2, accelerator="cpu")
NET = NetBuilder(channels=4, cells=1)
TEST = AccuracyKey("mine-1.0", "digits", "test", 1, MEAN)


def build(output: Path, **options: Any) -> TabularBenchmark:
    options = {"net": NET, "training": RECIPE, "limit": 3, "repeated": 1, "quiet": True} | options
    return build_benchmark(DigitsData(), "mine", output=str(output), **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    build(folder)
    return folder


def count_trainings(monkeypatch: pytest.MonkeyPatch) -> list[TrainingTask]:
    done: list[TrainingTask] = []
    original: Callable[..., Any] = BenchmarkTraining.__call__

    def counted(self: BenchmarkTraining, task: TrainingTask) -> Any:
        done.append(task)
        return original(self, task)

    monkeypatch.setattr(BenchmarkTraining, "__call__", counted)
    return done


def test_table_on_disk_is_the_one_returned_and_has_a_card(finished: Path) -> None:
    table = load_benchmark("mine", finished / "mine.parquet")
    assert isinstance(table, TabularBenchmark)
    assert len(table) == 3
    accuracy = table.table(TEST).accuracy
    assert ((accuracy >= 0) & (accuracy <= 100)).all()
    assert np.isnan(table.table(AccuracyKey("mine-1.0", "digits", "test", 1, 1)).accuracy).sum() == 2
    seconds = table.table(TEST).seconds
    assert seconds is not None
    assert (seconds > 0).all()
    assert table.counts["params"].min() > 1000
    page = (finished / "mine.md").read_text()
    assert '"train_images": 897' in page
    assert "| `test` |" not in page  # one architecture with two seeds: no correlation


def test_started_again_it_trains_nothing(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (finished / "mine.parquet").read_bytes()
    done = count_trainings(monkeypatch)
    build(finished)
    assert done == []
    assert (finished / "mine.parquet").read_bytes() == before


def test_cut_short_it_goes_on_and_equals_an_uninterrupted_one(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = count_trainings(monkeypatch)
    build(tmp_path, limit=1)
    assert len(done) == 2  # one architecture, two seeds
    build(tmp_path)
    assert len(done) == 4
    whole, resumed = (load_benchmark("mine", folder / "mine.parquet") for folder in (finished, tmp_path))
    assert isinstance(whole, TabularBenchmark)
    assert isinstance(resumed, TabularBenchmark)
    for key in whole.keys():
        np.testing.assert_array_equal(whole.table(key).accuracy, resumed.table(key).accuracy)


def test_processes_give_the_same_numbers(finished: Path, tmp_path: Path) -> None:
    table = build(tmp_path, processes=2, limit=2, repeated=0)
    whole = load_benchmark("mine", finished / "mine.parquet")
    first_seed = AccuracyKey("mine-1.0", "digits", "test", 1, 0)
    for arch in table.archs():
        assert table.query(arch, first_seed) == whole.query(arch, first_seed)


def test_this_process_uses_as_many_threads_as_asked_and_then_as_before(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []

    def net(arch: Arch, num_classes: int) -> Any:
        seen.append(torch.get_num_threads())
        return NET(arch, num_classes)

    build(tmp_path, net=net, limit=1, repeated=0, threads=before + 1)
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


def test_other_settings_are_refused(finished: Path) -> None:
    with pytest.raises(UsageError, match=r"lr was 0\.1, is 0\.2"):
        build(finished, training=Retraining(epochs=1, batch_size=256, lr=0.2, repeats=2, accelerator="cpu"))


def broken_net(arch: Arch, num_classes: int) -> Any:
    if arch.genes[0] % 2:
        raise RuntimeError("no such network")
    return NET(arch, num_classes)


def test_what_fails_is_left_out_said_and_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"net": broken_net, "limit": 5, "repeated": 0}
    table = build(tmp_path, quiet=False, **options)
    kept = {arch.genes[0] % 2 for arch in table.archs()}
    assert kept == {0}
    assert 0 < len(table) < 5
    assert "RuntimeError: no such network" in capsys.readouterr().out
    done = count_trainings(monkeypatch)
    build(tmp_path, **options)
    assert len(done) == 5 - len(table)


def test_nothing_but_failures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no training reached an accuracy.*no such network"):
        build(tmp_path, net=_no_net, limit=2, repeated=0)


def _no_net(arch: Arch, num_classes: int) -> Any:
    raise RuntimeError("no such network")


def test_a_diverged_training_has_no_accuracy() -> None:
    recipe = Retraining(epochs=2, batch_size=256, lr=1e20, accelerator="cpu")
    arch = NatsTopologySpace().parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")
    estimates = BenchmarkTraining(NET, DigitsData(), recipe)(TrainingTask(arch, 0))
    assert estimates["test_acc"].status == "nonfinite"
    assert estimates["params"] == Estimate(float(sum(p.numel() for p in NET(arch, 10).parameters())))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--limit 0", "limit=0: expected limit >= 1"),
        ("--processes 0", "processes=0: expected processes >= 1"),
        ("--seed 12345678901234567890", "expected seed < 2**31"),
        ("--edition a/b", "edition='a/b', data 'digits': expected names of letters"),
        ("--name _x", "name='_x', edition='1.0', data 'digits': expected names of letters"),
        ("--space DartsSpace", "expected a limit for a space of 1.46e+17 rows"),
        ("--space NasBench101Space --row architecture", "expected a limit for a space of 3.74e+08 rows"),
        ("--space DartsSpace --row functional --limit 2", "expected a sense that 'darts' has"),
        ("--space NatsSizeSpace --row functional", "expected a sense that 'nats_size' has"),
    ],
)
def test_bad_input_is_one_line(arguments: str, line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = f"bench build --name mine --data DigitsData --output {tmp_path / 'build'} {arguments}"
    assert main(command.split()) == 2
    assert line in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
