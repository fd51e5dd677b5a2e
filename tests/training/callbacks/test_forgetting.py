"""Forgetting values, against copies of the supernet that are evaluated by hand after every step."""

from __future__ import annotations

import copy
import csv
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor

from lnas.errors import UsageError
from lnas.nets import build_supernet
from lnas.spaces import NatsTopologySpace
from lnas.testing.batches import ResumableBatches
from lnas.training import ListedPaths, SupernetModule, evaluate_paths, quiet_lightning
from lnas.training.callbacks import ForgettingCallback
from lnas.training.callbacks.path_scores import path_scores
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.types import Arch

SPACE = NatsTopologySpace()
CONV, OTHER, POOL = (
    Arch("nats_topology", genes) for genes in ((3, 3, 3, 3, 3, 3), (2, 2, 2, 2, 2, 2), (3, 4, 4, 4, 4, 3))
)
STEPS = 4
Batch = tuple[Tensor, Tensor]


def some_batches(count: int, seed: int, size: int = 8) -> list[Batch]:
    generator = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(size, 3, 8, 8, generator=generator), torch.randint(10, (size,), generator=generator))
        for _ in range(count)
    ]


SHOWN = some_batches(1, seed=7, size=64)


class Copies(pl.Callback):
    """Keeps the supernet as it is after each step."""

    def __init__(self) -> None:
        self.nets: dict[int, Any] = {}

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *arguments: Any) -> None:
        self.nets[trainer.global_step] = copy.deepcopy(pl_module.net)


def supernet_module(seed: int = 0, **options: Any) -> SupernetModule:
    torch.manual_seed(seed)
    return SupernetModule(build_supernet(SPACE.region, channels=4, cells=1), **options)


def fit(
    module: pl.LightningModule,
    *callbacks: pl.Callback,
    epochs: int = 2,
    go_on_from: Path | None = None,
    loader: Any = None,
    **options: Any,
) -> pl.Trainer:
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            callbacks=list(callbacks),
            plugins=[WholeFileCheckpointIO()],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **{"logger": False, **options},
        )
        trainer.fit(
            module, ResumableBatches(some_batches(STEPS, seed=0)) if loader is None else loader, ckpt_path=go_on_from
        )
    return trainer


def by_hand(copies: Copies, arch: Arch, trained: int, ended: int) -> float:
    after, at_end = (evaluate_paths(copies.nets[step], [arch], SHOWN)[arch].accuracy for step in (trained, ended))
    return at_end - after


def timeless(records: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in each.items() if name != "seconds"} for each in records]


def test_values_are_those_of_copies_evaluated_by_hand() -> None:
    copies, forgetting, module = Copies(), ForgettingCallback(SHOWN, archs=100), supernet_module()
    fit(module, copies, forgetting)
    for epoch, (values, record) in enumerate(zip(forgetting.values, forgetting.records, strict=True), start=1):
        ended = epoch * STEPS
        last = {arch: step + 1 for step in range(ended - STEPS, ended) for arch in module.paths_at(step)}
        expected = {arch: by_hand(copies, arch, trained, ended) for arch, trained in last.items()}
        assert list(values.items()) == list(expected.items())
        assert (record["epoch"], record["step"], record["count"]) == (epoch, ended, len(expected))
        assert record["mean"] == pytest.approx(np.mean(list(expected.values())))
        assert record["std"] == pytest.approx(np.std(list(expected.values()), ddof=1))
    found = [value for values in forgetting.values for value in values.values()]
    assert any(found)  # or nothing above could fail


def test_of_a_path_that_is_trained_again_the_last_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    order = [CONV, OTHER, CONV, OTHER, POOL, POOL, OTHER, OTHER]
    module = supernet_module(paths=ListedPaths((CONV, OTHER, POOL)))
    monkeypatch.setattr(module, "paths_at", lambda step: (order[step],))
    copies, forgetting = Copies(), ForgettingCallback(SHOWN, archs=[POOL, CONV])
    fit(module, copies, forgetting)
    assert forgetting.values == [{CONV: by_hand(copies, CONV, 3, 4)}, {POOL: by_hand(copies, POOL, 6, 8)}]
    assert by_hand(copies, CONV, 1, 4) != forgetting.values[0][CONV]
    assert "std" not in forgetting.records[0]


def test_what_the_last_step_trained_has_forgotten_nothing() -> None:
    forgetting, module = ForgettingCallback(SHOWN, archs=[CONV]), supernet_module(paths=ListedPaths((CONV,)))
    fit(module, forgetting)
    assert forgetting.values == [{CONV: 0.0}, {CONV: 0.0}]


def test_so_many_are_drawn_by_seed_and_epoch() -> None:
    module, found = supernet_module(samples=3), []
    for seed, epochs in ((0, 2), (0, 1), (1, 1)):
        forgetting = ForgettingCallback(SHOWN, archs=2, seed=seed)
        fit(copy.deepcopy(module), forgetting, epochs=epochs)
        found.append([set(values) for values in forgetting.values])
    assert found[0][:1] == found[1] != found[2]
    for number, drawn in enumerate(found[0]):
        steps = range(number * STEPS, (number + 1) * STEPS)
        assert len(drawn) == 2
        assert drawn <= {arch for step in steps for arch in module.paths_at(step)}


def test_only_what_counts_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def counting(trainer: pl.Trainer, module: SupernetModule, archs: Sequence[Arch], *arguments: Any) -> Any:
        counted.append(len(archs))
        return path_scores(trainer, module, archs, *arguments)

    monkeypatch.setattr("lnas.training.callbacks.forgetting.path_scores", counting)
    fit(supernet_module(samples=3), ForgettingCallback(SHOWN, archs=2, every_n_epochs=2), epochs=3)
    assert sum(counted) == 2 * 2


def test_batches_that_are_accumulated_are_one_step() -> None:
    copies, forgetting, module = Copies(), ForgettingCallback(SHOWN, archs=100), supernet_module()
    fit(module, copies, forgetting, accumulate_grad_batches=3, epochs=1)
    ended = 2  # of three batches and of one
    expected = {arch: by_hand(copies, arch, step + 1, ended) for step in range(ended) for arch in module.paths_at(step)}
    assert forgetting.values == [expected]


def test_training_is_bit_for_bit_the_same_with_it() -> None:
    found = []
    for callbacks in ([ForgettingCallback(SHOWN)], []):
        module = supernet_module(samples=2)
        torch.manual_seed(1)
        trainer = fit(module, *callbacks)
        momenta = [state["momentum_buffer"] for state in trainer.optimizers[0].state.values()]
        tensors = [*module.state_dict().values(), *momenta, *(weight.grad for weight in module.parameters())]
        found.append((torch.rand(1).item(), [part.training for part in module.modules()], tensors))
    (draw, modes, tensors), (other_draw, other_modes, others) = found
    assert (draw, modes) == (other_draw, other_modes)
    assert all(torch.equal(one, other) for one, other in zip(tensors, others, strict=True) if one is not None)


@pytest.mark.parametrize(("step", "is_before"), [(2, True), (4, True), (6, False)])
def test_resumed_it_is_as_if_never_stopped(tmp_path: Path, step: int, is_before: bool, saver: type[Any]) -> None:
    """From the midst of epochs and the end of one, with checkpoints that are written before and after its turn."""
    whole, resumed = (ForgettingCallback(SHOWN, archs=3) for _ in range(2))
    callbacks = [saver(tmp_path / "at.ckpt", step), whole]
    fit(supernet_module(), *(callbacks if is_before else reversed(callbacks)))
    assert torch.load(tmp_path / "at.ckpt", weights_only=True)["callbacks"]
    fit(supernet_module(1), resumed, go_on_from=tmp_path / "at.ckpt", logger=CSVLogger(tmp_path, "", ""))
    assert timeless(resumed.records) == timeless(whole.records)
    assert [list(values.items()) for values in resumed.values] == [list(values.items()) for values in whole.values]
    assert resumed.seconds == pytest.approx(sum(record["seconds"] for record in resumed.records), rel=0.5)
    rows = csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines())
    logged = [float(row["forgetting/mean"]) for row in rows if row["forgetting/count"]]
    of_this_start = whole.records[0 if step <= STEPS else 1 :]
    assert logged == pytest.approx([record["mean"] for record in of_this_start], abs=1e-6)


def test_another_training_begins_anew() -> None:
    used, fresh = (ForgettingCallback(SHOWN, archs=3) for _ in range(2))
    fit(supernet_module(), used, epochs=1)
    fit(supernet_module(1), used, epochs=1)
    fit(supernet_module(1), fresh, epochs=1)
    assert timeless(used.records) == timeless(fresh.records)
    assert used.values == fresh.values


def test_paths_without_a_loss_do_not_count() -> None:
    module, forgetting = supernet_module(), ForgettingCallback(SHOWN, archs=2)
    with torch.no_grad():
        module.net.classifier.bias.fill_(math.nan)
    fit(module, forgetting, epochs=1)
    assert [math.isnan(value) for value in forgetting.values[0].values()] == [True, True]
    assert forgetting.records[0].keys() == {"epoch", "step", "seconds", "count"}
    assert forgetting.records[0]["count"] == 0


def test_an_epoch_that_trains_none_of_those_watched_has_no_value() -> None:
    forgetting = ForgettingCallback(SHOWN, archs=[POOL])
    fit(supernet_module(paths=ListedPaths((CONV,))), forgetting, epochs=1)
    assert forgetting.values == [{}]
    assert forgetting.records[0]["count"] == 0


@pytest.mark.filterwarnings("ignore:.*callbacks used to create the checkpoint", "ignore:.*has callback states")
def test_an_epoch_that_it_has_not_seen_begin_has_no_record(tmp_path: Path, saver: type[Any]) -> None:
    fit(supernet_module(), saver(tmp_path / "at.ckpt", 2))
    forgetting = ForgettingCallback(SHOWN)
    fit(supernet_module(), forgetting, go_on_from=tmp_path / "at.ckpt")
    assert [record["epoch"] for record in forgetting.records] == [2]


@pytest.mark.parametrize("archs", [3, [CONV, POOL]])
def test_it_is_picklable(archs: Any) -> None:
    assert pickle.loads(pickle.dumps(ForgettingCallback(SHOWN, archs))).state_key == "ForgettingCallback"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"archs": 0}, r"number of architectures >= 1, or some, got 0"),
        ({"archs": True}, r"number of architectures >= 1, or some, got True"),
        ({"archs": 2.5}, r"number of architectures >= 1, or some, got 2.5"),
        ({"archs": []}, r"number of architectures >= 1, or some, got \[\]"),
        ({"archs": ["3-3-3-3-3-3"]}, r"number of architectures >= 1, or some, got"),
        ({"batches": iter(SHOWN)}, r"gone through again, got 'an iterator'"),
        ({"every_n_epochs": 0}, r"ForgettingCallback\(every_n_epochs=0\): expected every_n_epochs >= 1"),
        ({"statistics": "recalibrated"}, r"unknown statistics 'recalibrated'"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ForgettingCallback(**{"batches": SHOWN, **options})


def test_what_does_not_fit_the_training_is_named(make: Callable[..., pl.LightningModule]) -> None:
    with pytest.raises(UsageError, match="expected a SupernetModule, got 'Users'"):
        fit(make(), ForgettingCallback(SHOWN))
    strange = Arch("nats_topology", (9, 9, 9, 9, 9, 9))
    with pytest.raises(UsageError, match="expected archs of the supernet's region of nats_topology"):
        fit(supernet_module(), ForgettingCallback(SHOWN, [strange]))
    with pytest.raises(UsageError, match="expected an epoch whose length is known"):
        fit(
            supernet_module(), ForgettingCallback(SHOWN), loader=torch.utils.data.DataLoader(Endless(), batch_size=None)
        )
    state = ForgettingCallback(SHOWN, seed=1).state_dict()
    with pytest.raises(
        UsageError, match=r"expected archs and seed of the checkpoint, 20 by seed 1, got '20 by seed 0'"
    ):
        ForgettingCallback(SHOWN).load_state_dict(state)


@pytest.mark.parametrize(("step", "arch"), [(1, CONV), (2, POOL)])
def test_paths_that_change_amid_an_epoch_are_named(step: int, arch: Arch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a path is trained once more, and where one is not trained that was to be."""
    order = [CONV, OTHER, OTHER, POOL]
    module = supernet_module(paths=ListedPaths((CONV, OTHER, POOL)))
    monkeypatch.setattr(module, "paths_at", lambda step: (order[step],))

    class Changer(pl.Callback):
        def on_train_batch_end(self, *arguments: Any) -> None:
            order[step] = arch

    with pytest.raises(UsageError, match=f"paths that are known when an epoch begins, got 'others at step {step}'"):
        fit(module, Changer(), ForgettingCallback(SHOWN))


class Endless(torch.utils.data.IterableDataset[Batch]):
    """Batches without a number of them."""

    def __iter__(self) -> Iterator[Batch]:
        yield from some_batches(2, seed=0)
