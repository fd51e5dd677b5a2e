"""`lnas supernet`: what it writes, how it goes on, what it refuses."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from lnas.cli import command_parser, main
from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import OneShotEstimator
from lnas.nets import BENCHMARK_NET, NetBuilder, build_supernet
from lnas.nets.supernet_file import supernet_options
from lnas.pipeline.supernet.steering import Controller, Pruning
from lnas.pipeline.supernet.train import train_supernet
from lnas.pipeline.supernet.watching import Ensemble, Forgetting, Gradients, Ranking
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.search import FPNAS
from lnas.spaces import NatsTopologySpace
from lnas.training.callbacks.keeping import KeepTraining
from lnas.training.differentiable_methods import Darts, Gdas, PcDarts
from lnas.training.supernet_fitting import Hardware
from lnas.types import Region

CONFIGS = Path(__file__).parents[3] / "configs" / "supernet"
DATA = DigitsData()
SPACE = NatsTopologySpace()
NET = NetBuilder(channels=4, cells=1, affine=False, bn_momentum=0.1, dead_edges="skipped")
TRUTH = Truth("digits", "digits-1.0/digits/test@8/mean")
PC_DARTS = partial(PcDarts, divisor=2, warmup_epochs=0)
CONTROLLER = Controller(FPNAS, batch_size=64)
RANKING = Ranking(archs=60, every_n_epochs=2, batches=1, batch_size=64)


def trained(output: Path, **options: Any) -> StudyReport:
    defaults: dict[str, Any] = {"net": NET, "epochs": 4, "batch_size": 256, "truth": TRUTH, "ranking": RANKING}
    defaults |= {"ensemble": Ensemble(last=2), "threads": 1, "quiet": True, "wandb": "off"}
    return train_supernet(DATA, output=str(output), **(defaults | options))


def weights(output: Path, name: str = "last") -> dict[str, torch.Tensor]:
    return torch.load(output / f"{name}.ckpt", weights_only=True)["state_dict"]


def without_times(output: Path, name: str) -> list[dict[str, Any]]:
    rows = pq.read_table(output / f"{name}.parquet").to_pylist()
    return [{key: value for key, value in row.items() if key not in ("seconds", "share")} for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("supernet")
    trained(folder, keep=[3])
    return folder


def test_page_tables_records_and_weights_are_written(whole: Path) -> None:
    assert (whole / "supernet.html").read_text().count("<figure>") > 5
    assert [row["epoch"] for row in without_times(whole, "epochs")] == [1, 2, 3, 4]
    assert [row["epoch"] for row in without_times(whole, "ranking")] == [2, 4]
    scores = pq.read_table(whole / "scores.parquet").to_pydict()
    assert scores["epoch"] == [2] * 60 + [4] * 60
    assert len(set(scores["arch"])) == 60
    assert sorted(name for name in scores if name.endswith(("acc", "loss"))) == [
        "ensemble_acc",
        "ensemble_loss",
        "oneshot_acc",
        "oneshot_loss",
    ]
    assert weights(whole, "epoch=3").keys() == weights(whole).keys()


@pytest.mark.parametrize(("file", "score"), [("last", "oneshot"), ("ensemble", "ensemble")])
def test_the_estimator_gives_the_scores_of_the_last_time(whole: Path, file: str, score: str) -> None:
    rows = [row for row in pq.read_table(whole / "scores.parquet").to_pylist() if row["epoch"] == 4]
    options: dict[str, Any] = {"batches": 1, "batch_size": 64, "device": "cpu"}
    estimator = OneShotEstimator(BENCHMARK_NET, DATA, str(whole / f"{file}.ckpt"), **options)
    for row in rows[:3]:
        found = estimator.estimate(SPACE.parse(row["notation"]), seed=0)
        assert found["oneshot_acc"].value == pytest.approx(row[f"{score}_acc"])
        assert found["oneshot_loss"].value == pytest.approx(row[f"{score}_loss"], rel=1e-4)


def test_a_training_that_was_stopped_or_lengthened_ends_as_one_that_was_not(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(tmp_path, epochs=2)
    with monkeypatch.context() as patched:
        ended = KeepTraining.on_train_epoch_end

        def dies(self: KeepTraining, trainer: Any, module: Any) -> None:
            if trainer.current_epoch == 2:
                raise RuntimeError("power failure")
            ended(self, trainer, module)

        patched.setattr(KeepTraining, "on_train_epoch_end", dies)
        with pytest.raises(RuntimeError, match="power failure"):
            trained(tmp_path)
    trained(tmp_path)
    for name in ("last", "ensemble"):
        before, after = weights(whole, name), weights(tmp_path, name)
        assert all(torch.equal(before[key], after[key]) for key in before)
    for name in ("epochs", "ranking", "scores"):
        assert without_times(whole, name) == without_times(tmp_path, name)


def test_forgetting_gradients_and_pruned_paths_are_on_the_page(tmp_path: Path) -> None:
    report = trained(
        tmp_path,
        ensemble=None,
        ranking=None,
        forgetting=Forgetting(archs=2, batches=1, batch_size=32),
        gradients=Gradients(archs=3, every_n_epochs=2, batch_size=32),
        pruning=Pruning(at_epoch=2, keep=0.5, archs=6, batches=1, batch_size=32),
    )
    assert {"forgetting value", "gradient similarity"} <= report.sections["Between paths"].keys()
    assert report.facts["Paths"] == "pruned to 3"
    assert [row["epoch"] for row in without_times(tmp_path, "forgetting")] == [1, 2, 3, 4]
    assert [row["whole/count"] for row in without_times(tmp_path, "gradients")] == [3, 3]


@pytest.mark.parametrize(
    "options", [{"controller": CONTROLLER}, {"training": Darts}, {"training": Gdas}, {"training": PC_DARTS}]
)
def test_a_training_that_searches_says_what_it_came_to_and_can_be_scored(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    report = trained(tmp_path, epochs=1, ensemble=None, ranking=None, **options)
    found = SPACE.parse(report.facts["Came to"])
    assert list(report.sections["What it came to"]) == [SPACE.label(found)]
    estimator = OneShotEstimator(BENCHMARK_NET, DATA, str(tmp_path / "last.ckpt"), batches=1, batch_size=64)
    assert estimator.estimate(found, seed=0)["oneshot_loss"].status == "ok"


def test_a_longer_schedule_is_another_search(tmp_path: Path) -> None:
    trained(tmp_path, epochs=1, ensemble=None, ranking=None, training=Gdas)
    with pytest.raises(UsageError, match="epochs was 1, is 2"):
        trained(tmp_path, epochs=2, ensemble=None, ranking=None, training=Gdas)


@pytest.mark.parametrize("space", ["DartsSpace", "NasBench1Shot1Space", "NdsResNetSpace", "NdsResNeXtASpace"])
def test_configs_of_the_study_name_networks_that_can_be_built(space: str) -> None:
    (config,) = [file for file in CONFIGS.glob("*.yaml") if space in file.read_text()]
    parser = command_parser("supernet")
    asked = parser.instantiate(parser.parse_args(["--config", str(config)]))
    small = replace(asked.net, channels=8, cells=None if space != "DartsSpace" else 3)
    net = build_supernet(asked.space, 10, **supernet_options(small, "config"))
    assert asked.training(net, 0).net is net


def test_some_operations_are_trained_alone(tmp_path: Path) -> None:
    operations = ["skip_connect", "nor_conv_3x3"]
    trained(tmp_path, operations=operations, epochs=1, truth=None, ranking=None, ensemble=None)
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)["hyper_parameters"]["region"]
    assert saved == str(Region(SPACE.name, ((1, 3),) * 6))
    assert not any("nor_conv_1x1" in name for name in weights(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"truth": None}, r"--ranking\.\.\.: expected --truth\.\.\., too"),
        ({"forgetting": Forgetting(), "controller": CONTROLLER}, "neither forgetting nor pruning, got 'forgetting'"),
        ({"pruning": Pruning(), "controller": CONTROLLER}, "neither forgetting nor pruning, got 'pruning'"),
        ({"truth": Truth("digits", "digits-1.0/digits/test@9/mean")}, "test@9"),
        ({"operations": ["conv"]}, "some of none, skip_connect, .* got 'conv'"),
        ({"operations": []}, "a choice for edge 0->1"),
        ({"operations": ["none"]}, "Allow a convolution"),
        ({"keep": [0]}, "keep >= 1, got 0"),
        ({"epochs": 0}, "epochs >= 1, got 0"),
        ({"ranking": Ranking(9999, 1)}, "1 <= archs <= 1,500, those of digits"),
        ({"ranking": Ranking(1, 1)}, "at least 2 architectures that are trained"),
        ({"net": NetBuilder(drop_path=0.1)}, "drop_path"),
        (
            {"training": Darts, "forgetting": Forgetting()},
            "forgetting...: expected --training SupernetModule, got 'Darts'",
        ),
        ({"ranking": Ranking(every_n_epochs=5)}, "ranking.every_n_epochs=5: expected at most 4, the last epoch"),
        ({"ensemble": Ensemble(every_n_epochs=5)}, "ensemble.every_n_epochs=5"),
        ({"pruning": Pruning()}, "pruning.at_epoch=600"),
        ({"controller": Controller(FPNAS, warmup_epochs=4)}, "controller.warmup_epochs=5"),
        ({"keep": [5]}, "epochs >= 5, got 4"),
        ({"ranking": Ranking(60, 1, None, 299)}, "leaves no single one of the 300 validation images over"),
        ({"hardware": Hardware(precision="foo")}, "hardware of this machine, got .*foo"),
        ({"hardware": Hardware(accelerator="foo")}, "hardware of this machine, got .*foo"),
        ({"hardware": Hardware(devices=0)}, "hardware of this machine"),
        ({"accumulate": 10}, "accumulate=10: expected at most 3, the batches of an epoch"),
    ],
)
def test_what_cannot_be_trained_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        trained(tmp_path, **options)
    assert not any(tmp_path.iterdir())  # so that a mended command finds no other settings there


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 128}, r"batch_size was 256, is 128"),
        ({"epochs": 2}, r"epochs=2: expected epochs >= 4, those done"),
        ({"controller": CONTROLLER}, r"controller.rank was None"),
    ],
)
def test_a_folder_of_other_settings_is_refused(whole: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        trained(whole, **options)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "last.ckpt").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"last\.ckpt: expected a checkpoint"):
        trained(tmp_path)


def test_the_command_line_trains_what_its_config_says_again(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    options = ["--data", "DigitsData", "--net.channels=4", "--net.cells=1", "--epochs=1", "--batch_size=256"]
    paths = ["--training", "SupernetModule", "--training.paths", "DeisoPaths", "--training.inactive=skipped"]
    common = ["--wandb=off", "--threads=1", "-q"]
    assert main(["supernet", *options, *paths, *common, "--output", str(first)]) == 0
    assert main(["supernet", "--config", str(first / "config.yaml"), "-q", "--output", str(again)]) == 0
    before, after = weights(first), weights(again)
    assert all(torch.equal(before[key], after[key]) for key in before)
    options = torch.load(again / "last.ckpt", weights_only=True)["hyper_parameters"]
    assert options["inactive"] == "skipped"


@pytest.mark.slow
def test_two_processes_leave_one_set_of_files_that_can_be_gone_on_from(tmp_path: Path) -> None:
    def run(epochs: int) -> subprocess.CompletedProcess[str]:
        options = ["--data", "DigitsData", "--net.channels=4", "--net.cells=1", "--batch_size=128", "--wandb=off"]
        hardware = ["--hardware.devices=2", "--hardware.accelerator=cpu", "--threads=1", "--ensemble.last=2"]
        command = [sys.executable, "-m", "lnas", "supernet", *options, *hardware, f"--epochs={epochs}"]
        return subprocess.run(
            [*command, "--output", str(tmp_path)], check=True, timeout=300, capture_output=True, text=True
        )

    assert "training batches: 3/3" in run(1).stdout
    printed = run(2)
    assert "training batches: 6/6" in printed.stdout
    assert "warn" not in printed.stderr.lower()
    assert [row["epoch"] for row in without_times(tmp_path, "epochs")] == [1, 2]
    estimator = OneShotEstimator(BENCHMARK_NET, DATA, str(tmp_path / "ensemble.ckpt"), batches=1, batch_size=64)
    assert estimator.estimate(SPACE.sample(np.random.default_rng(0)), seed=0)["oneshot_loss"].status == "ok"
