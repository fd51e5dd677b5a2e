"""The mean of the last epochs' tensors, against what a list of all of them gives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor

from lnas.errors import UsageError
from lnas.testing.batches import ResumableBatches
from lnas.training import quiet_lightning
from lnas.training.callbacks import TemporalEnsembleCallback
from lnas.training.checkpoints import WholeFileCheckpointIO

Make = Callable[..., pl.LightningModule]


def four_batches() -> ResumableBatches:
    generator = torch.Generator().manual_seed(0)
    return ResumableBatches([torch.randn(6, 6, generator=generator).split([4, 2], dim=1) for _ in range(4)])


def fit(module: pl.LightningModule, *callbacks: pl.Callback, epochs: int, go_on_from: Path | None = None) -> None:
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            callbacks=list(callbacks),
            plugins=[WholeFileCheckpointIO()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, four_batches(), ckpt_path=go_on_from)


class Recorder(pl.Callback):
    """Keeps a copy of all tensors after each epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, Tensor]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.epochs.append(copies(pl_module))


def copies(module: pl.LightningModule) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def mean(snapshots: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    stacked = {name: torch.stack([each[name] for each in snapshots]) for name in snapshots[0]}
    return {
        name: each.double().mean(0).to(each.dtype) if each.is_floating_point() else each.max(0).values
        for name, each in stacked.items()
    }


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor], **tolerance: float) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, **tolerance or {"rtol": 0, "atol": 0})


@pytest.fixture(params=["memory", "files"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "snapshots" if request.param == "files" else None


def test_it_is_the_mean_of_the_last_epochs(make: Make, folder: Path | None) -> None:
    recorder, ensemble, module = Recorder(), TemporalEnsembleCallback(3, folder=folder), make()
    fit(module, recorder, ensemble, epochs=5)
    assert ensemble.epochs == [3, 4, 5]
    assert_same(ensemble.weights(), mean(recorder.epochs[2:]), rtol=1e-6, atol=1e-9)
    assert int(ensemble.weights()["body.1.num_batches_tracked"]) == 20
    if folder:
        assert len(list(folder.iterdir())) == 3


def test_epochs_between_are_left_out(make: Make) -> None:
    recorder, ensemble = Recorder(), TemporalEnsembleCallback(2, every_n_epochs=2)
    fit(make(), recorder, ensemble, epochs=7)
    assert ensemble.epochs == [4, 6]
    assert_same(ensemble.weights(), mean([recorder.epochs[3], recorder.epochs[5]]))


def test_weights_are_swapped_in_and_come_back_also_after_an_error(make: Make) -> None:
    ensemble, module = TemporalEnsembleCallback(2), make()
    fit(module, ensemble, epochs=3)
    before, places = copies(module), [tensor.data_ptr() for tensor in module.state_dict().values()]
    with suppress(KeyError), ensemble.swapped_in(module):
        assert_same(copies(module), ensemble.weights())
        raise KeyError
    assert_same(copies(module), before)
    assert [tensor.data_ptr() for tensor in module.state_dict().values()] == places


def test_training_is_the_same_with_it(make: Make) -> None:
    with_it, without = make(dropout=0.5), make(dropout=0.5)
    for module, callbacks in ((with_it, [TemporalEnsembleCallback(2)]), (without, [])):
        torch.manual_seed(3)
        fit(module, *callbacks, epochs=3)
    assert_same(copies(with_it), copies(without))


@pytest.mark.parametrize("step", [4, 8, 12, 14])
def test_resumed_it_is_as_if_never_stopped(
    make: Make, folder: Path | None, tmp_path: Path, step: int, saver: type[Any]
) -> None:
    """From the ends of epochs, written before their ends are told, and from the midst of one."""
    whole = TemporalEnsembleCallback(2, folder=folder)
    fit(make(), whole, saver(tmp_path / "at.ckpt", step), epochs=4)
    resumed = TemporalEnsembleCallback(2, folder=tmp_path / "other" if folder else None)
    fit(make(seed=1), resumed, epochs=4, go_on_from=tmp_path / "at.ckpt")
    assert resumed.epochs == whole.epochs == [3, 4]
    assert_same(resumed.weights(), whole.weights())


def test_another_training_begins_anew(make: Make) -> None:
    ensemble, module = TemporalEnsembleCallback(3), make(seed=1)
    fit(make(), ensemble, epochs=3)
    fit(module, ensemble, epochs=1)
    assert ensemble.epochs == [1]
    assert_same(ensemble.weights(), copies(module))


def test_what_cannot_be_is_named(make: Make, tmp_path: Path) -> None:
    for options in ({"last": 0}, {"every_n_epochs": 0}, {"last": 2.5}):
        with pytest.raises(UsageError, match=r">= 1, got"):
            TemporalEnsembleCallback(**options)
    with pytest.raises(UsageError, match=r"at least one snapshot, got 0. The first is taken at the end of epoch 2"):
        TemporalEnsembleCallback(every_n_epochs=2).weights()
    ensemble = TemporalEnsembleCallback(folder=tmp_path)
    fit(make(), ensemble, epochs=1)
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(UsageError, match=r"expected the snapshot .*Resume from a checkpoint"):
        ensemble.weights()
