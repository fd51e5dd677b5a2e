"""Criteria along a supernet's training, against the evaluation and the criteria called by hand."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor

from lnas.errors import UsageError
from lnas.nets import build_supernet
from lnas.spaces import NatsTopologySpace
from lnas.stats import kendall_tau, pearson_r, precision_at_top, ranking_stability, spearman_r, worst_ranking
from lnas.testing.batches import ResumableBatches
from lnas.training import SupernetModule, evaluate_paths, quiet_lightning
from lnas.training.callbacks import RankingCallback, TemporalEnsembleCallback
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.types import Arch, Region

SPACE = NatsTopologySpace()
ARCHS = [SPACE.sample(np.random.default_rng(seed)) for seed in range(6)]
TRUTH = [70.0, 90.0, 80.0, 60.0, 75.0, 85.0]
Batch = tuple[Tensor, Tensor]


def some_batches(count: int, seed: int) -> list[Batch]:
    generator = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(6, 3, 8, 8, generator=generator), torch.randint(10, (6,), generator=generator))
        for _ in range(count)
    ]


KINDS = ("accuracy", "loss")
SHOWN = some_batches(2, seed=7)


class Recorder(pl.Callback):
    """Evaluates by hand after each epoch."""

    def __init__(self) -> None:
        self.scores: list[dict[Arch, Any]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.scores.append(evaluate_paths(pl_module.net, ARCHS, SHOWN))


def supernet_module(seed: int = 0, region: Region = SPACE.region) -> SupernetModule:
    torch.manual_seed(seed)
    return SupernetModule(build_supernet(region, channels=4, cells=1))


def fit(
    module: pl.LightningModule,
    callbacks: Sequence[pl.Callback],
    epochs: int = 2,
    go_on_from: Path | None = None,
    logger: Any = False,
    **options: Any,
) -> pl.Trainer:
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            callbacks=list(callbacks),
            plugins=[WholeFileCheckpointIO()],
            logger=logger,
            enable_progress_bar=False,
            enable_model_summary=False,
            **{"enable_checkpointing": False, **options},
        )
        trainer.fit(module, ResumableBatches(some_batches(3, seed=0)), ckpt_path=go_on_from)
    return trainer


def timeless(records: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in each.items() if name not in ("seconds", "share")} for each in records]


def test_records_are_the_criteria_of_the_evaluation() -> None:
    recorder, ranking = Recorder(), RankingCallback(ARCHS, TRUTH, SHOWN, at=[1, 0.5])
    fit(supernet_module(), [recorder, ranking])
    assert [(record["epoch"], record["step"]) for record in ranking.records] == [(1, 3), (2, 6)]
    acc, loss = ([[getattr(each[arch], kind) for arch in ARCHS] for each in recorder.scores] for kind in KINDS)
    assert [each["oneshot_acc"] for each in ranking.scores] == acc
    assert [each["oneshot_loss"] for each in ranking.scores] == loss
    for record, accuracies, losses in zip(ranking.records, acc, loss, strict=True):
        assert record["oneshot_acc/mean"] == pytest.approx(np.mean(accuracies))
        assert record["oneshot_loss/mean"] == pytest.approx(np.mean(losses))
        better = np.negative(losses)
        assert record["oneshot_loss/kendall_tau"] == pytest.approx(kendall_tau(better, TRUTH))
        assert record["oneshot_loss/spearman_r"] == pytest.approx(spearman_r(better, TRUTH))
        assert record["oneshot_acc/pearson_r"] == pytest.approx(pearson_r(accuracies, TRUTH))
        assert record["oneshot_acc/precision_at_top@0.5"] == pytest.approx(precision_at_top(accuracies, TRUTH, 0.5))
        assert record["oneshot_loss/worst_ranking@1"] == pytest.approx(worst_ranking(better, TRUTH, 1))
    stable = ranking_stability(np.negative(loss[0]), np.negative(loss[1]), [1, 0.5])
    assert "oneshot_loss/stability/kendall_tau" not in ranking.records[0]
    assert ranking.records[1]["oneshot_loss/stability/kendall_tau"] == pytest.approx(stable.kendall_tau[0])
    assert ranking.records[1]["oneshot_loss/stability/precision_at_top@1"] == stable.precision_at_top[0, 0]


@pytest.mark.parametrize("with_ensemble", [False, True])
def test_training_is_bit_for_bit_the_same_with_it(with_ensemble: bool) -> None:
    found = []
    for is_watched in (True, False):
        ensemble = TemporalEnsembleCallback(2)
        ranking = RankingCallback(ARCHS, TRUTH, SHOWN, ensemble=ensemble if with_ensemble else None)
        watching: list[pl.Callback] = [ensemble, ranking] if with_ensemble else [ranking]
        module = supernet_module()
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        torch.manual_seed(1)
        trainer = fit(module, watching if is_watched else [])
        draws = random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002
        momenta = [state["momentum_buffer"] for state in trainer.optimizers[0].state.values()]
        gradients = [weight.grad for weight in module.parameters()]
        modes = [part.training for part in module.modules()]
        found.append((draws, modes, [*module.state_dict().values(), *momenta, *gradients]))
    (draws, modes, tensors), (other_draws, other_modes, others) = found
    assert draws == other_draws
    assert modes == other_modes
    assert all(torch.equal(one, other) for one, other in zip(tensors, others, strict=True) if one is not None)


def test_the_ensembles_ranking_is_beside_the_plain_one() -> None:
    ensemble, module = TemporalEnsembleCallback(3), supernet_module()
    ranking = RankingCallback(ARCHS, TRUTH, SHOWN, every_n_epochs=2, ensemble=ensemble)
    fit(module, [ensemble, ranking])
    (scores,) = ranking.scores
    with ensemble.swapped_in(module):
        expected = evaluate_paths(module.net, ARCHS, SHOWN)
    assert scores["ensemble_loss"] == [expected[arch].loss for arch in ARCHS] != scores["oneshot_loss"]
    assert {"ensemble_acc/mean", "oneshot_acc/mean", "ensemble_loss/kendall_tau"} <= ranking.records[0].keys()


@pytest.mark.parametrize("step", [3, 5])
def test_resumed_it_is_as_if_never_stopped(tmp_path: Path, step: int, saver: type[Any]) -> None:
    """From the end of an epoch, written before the end is told, and from the midst of the next."""

    def callbacks() -> tuple[TemporalEnsembleCallback, RankingCallback]:
        ensemble = TemporalEnsembleCallback(2)
        return ensemble, RankingCallback(ARCHS, TRUTH, SHOWN, ensemble=ensemble)

    whole, resumed = callbacks(), callbacks()
    fit(supernet_module(), [*whole, saver(tmp_path / "at.ckpt", step)])
    fit(supernet_module(1), resumed, go_on_from=tmp_path / "at.ckpt", logger=CSVLogger(tmp_path, "", ""))
    assert len(resumed[1].records) == 2
    assert timeless(resumed[1].records) == timeless(whole[1].records)
    assert resumed[1].scores == whole[1].scores
    assert resumed[1].seconds > resumed[1].records[0]["seconds"]
    rows = csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines())
    logged = [float(row["ranking/oneshot_loss/mean"]) for row in rows if row["ranking/share"]]
    of_this_start = whole[1].records[0 if step == 3 else 1 :]
    assert logged == pytest.approx([record["oneshot_loss/mean"] for record in of_this_start])


def test_numbers_are_logged_and_may_be_monitored(tmp_path: Path) -> None:
    ranking = RankingCallback(ARCHS, TRUTH, SHOWN, at=[0.5])
    best = ModelCheckpoint(tmp_path, monitor="ranking/oneshot_loss/kendall_tau", mode="max")
    trainer = fit(supernet_module(), [ranking, best], enable_checkpointing=True)
    taus = [record["oneshot_loss/kendall_tau"] for record in ranking.records]
    assert float(best.best_model_score) == pytest.approx(max(taus))
    logged = {name.removeprefix("ranking/") for name in trainer.callback_metrics if name.startswith("ranking/")}
    assert logged == {name for record in ranking.records for name in record} - {"epoch", "step"}
    assert 0 < ranking.records[-1]["share"] < 1
    assert sum(record["seconds"] for record in ranking.records) == pytest.approx(ranking.seconds)


def test_paths_without_a_loss_rank_last() -> None:
    module, ranking = supernet_module(), RankingCallback(ARCHS, TRUTH, SHOWN)
    with torch.no_grad():
        module.net.classifier.bias.fill_(math.nan)
    fit(module, [ranking])
    assert np.isnan(ranking.scores[0]["oneshot_acc"]).all()
    assert ranking.records[1]["oneshot_loss/missing"] == 6
    assert not {"oneshot_loss/mean", "oneshot_loss/kendall_tau", "oneshot_loss/stability"} & ranking.records[1].keys()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"archs": ARCHS[:1], "truth": [1.0]}, r"at least two architectures, got 1"),
        ({"archs": [*ARCHS[:5], ARCHS[0]]}, r"each architecture once"),
        ({"truth": TRUTH[:5]}, r"6 accuracies, one per arch, got 5"),
        ({"truth": [*TRUTH[:5], math.nan]}, r"finite"),
        ({"batches": iter(SHOWN)}, r"gone through again, got 'an iterator'"),
        ({"every_n_epochs": 0}, r"RankingCallback\(every_n_epochs=0\): expected every_n_epochs >= 1"),
        ({"statistics": "recalibrated"}, r"batch or running, got 'recalibrated'"),
        ({"at": [7]}, r"7"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RankingCallback(**{"archs": ARCHS, "truth": TRUTH, "batches": SHOWN, **options})


def test_what_does_not_fit_the_training_is_named_when_it_starts(make: Callable[..., pl.LightningModule]) -> None:
    small = SPACE.region.replaced(0, (ARCHS[0].genes[0],))
    with pytest.raises(UsageError, match="expected archs of the supernet's region of nats_topology"):
        fit(supernet_module(region=small), [RankingCallback(ARCHS, TRUTH, SHOWN)])
    ensemble = TemporalEnsembleCallback()
    ranking = RankingCallback(ARCHS, TRUTH, SHOWN, ensemble=ensemble)
    for callbacks, got in (([ranking, ensemble], "after"), ([ranking], "none")):
        with pytest.raises(UsageError, match=f"the ensemble before this among the Trainer's callbacks, got '{got}'"):
            fit(supernet_module(), callbacks)
    with pytest.raises(UsageError, match="a module whose `net` is a supernet"):
        fit(make(), [RankingCallback(ARCHS, TRUTH, SHOWN)])
    with pytest.raises(UsageError, match="expected the 6 architectures and accuracies of the checkpoint"):
        RankingCallback(ARCHS, TRUTH[::-1], SHOWN).load_state_dict(ranking.state_dict())
