"""Similarity of gradients, against gradients of the supernet itself, which are compared weight by weight."""

from __future__ import annotations

import copy
import csv
import itertools
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn

from lnas.errors import UsageError
from lnas.nets import build_supernet
from lnas.nets.region_net import RegionNet
from lnas.spaces import SPACES, NatsTopologySpace
from lnas.testing.batches import ResumableBatches
from lnas.training import SupernetModule, quiet_lightning
from lnas.training.callbacks import GradientSimilarityCallback
from lnas.training.callbacks.gradient_similarity import gradient_similarities, path_gradient, stages_of_weights
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.types import Arch

SPACE = NatsTopologySpace()
ONE, OTHER, THIRD = (
    Arch("nats_topology", genes) for genes in ((3, 1, 2, 3, 4, 3), (3, 2, 2, 0, 4, 1), (1, 1, 3, 2, 4, 1))
)
PAIRS = [(ONE, OTHER), (OTHER, THIRD)]
STAGES = ["stem", "stage1", "stage2", "stage3", "head", "classifier", "whole"]
Batch = tuple[Tensor, Tensor]


def some_batches(count: int, seed: int) -> list[Batch]:
    generator = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(6, 3, 8, 8, generator=generator), torch.randint(10, (6,), generator=generator))
        for _ in range(count)
    ]


SHOWN = some_batches(2, seed=7)


def supernet(seed: int = 0, space: str = "nats_topology", **options: Any) -> RegionNet:
    torch.manual_seed(seed)
    fixed_depth = {} if space in ("nats_size", "nds_resnet", "nds_resnext_a") else {"cells": 1}
    return build_supernet(SPACES[space]().region, **{"channels": 4, **fixed_depth, **options})


def supernet_module(seed: int = 0) -> SupernetModule:
    return SupernetModule(supernet(seed), samples=2)


def fit(
    module: pl.LightningModule, *callbacks: pl.Callback, go_on_from: Path | None = None, **options: Any
) -> pl.Trainer:
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu",
            callbacks=list(callbacks),
            plugins=[WholeFileCheckpointIO()],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **{"max_epochs": 2, "logger": False, **options},
        )
        trainer.fit(module, ResumableBatches(some_batches(3, seed=0)), ckpt_path=go_on_from)
    return trainer


def backward(net: RegionNet, arch: Arch, batch: Batch) -> dict[str, Tensor]:
    """Return the gradients that training leaves in a copy of the supernet."""
    net = copy.deepcopy(net).train()
    nn.functional.cross_entropy(net(batch[0], arch), batch[1]).backward()
    return {name: weight.grad for name, weight in net.named_parameters() if weight.grad is not None}


def cosine(one: dict[str, Tensor], other: dict[str, Tensor], prefixes: tuple[str, ...]) -> float:
    shared = [name for name in one if name in other and name.startswith(prefixes)]
    if not shared:
        return math.nan
    u, v = (np.concatenate([each[name].numpy().ravel() for name in shared]).astype(float) for each in (one, other))
    return float(u @ v / (np.linalg.norm(u) * np.linalg.norm(v)))


def timeless(records: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in each.items() if name != "seconds"} for each in records]


PREFIXES = {
    "stem": ("stem.",),
    "stage1": ("blocks.0.",),
    "stage2": ("blocks.1.", "blocks.2."),
    "stage3": ("blocks.3.", "blocks.4."),
    "head": ("head.",),
    "classifier": ("classifier.",),
    "whole": ("",),
}


def test_it_is_the_cosine_of_the_supernets_gradients_over_what_both_use() -> None:
    net = supernet()
    found = gradient_similarities(net, PAIRS, SHOWN)
    assert list(found) == STAGES
    for number, (one, other) in enumerate(PAIRS):
        gradients = [[backward(net, arch, batch) for arch in (one, other)] for batch in SHOWN]
        for stage, prefixes in PREFIXES.items():
            expected = np.mean([cosine(u, v, prefixes) for u, v in gradients])
            assert found[stage][number] == pytest.approx(expected, rel=1e-5, nan_ok=True)
    assert math.isnan(found["stage1"][1])  # they share no convolution, and the reductions belong to later stages
    assert math.isfinite(found["stage2"][1])


@pytest.mark.parametrize("space", sorted(SPACES))
def test_paths_have_the_gradients_of_the_supernet_in_every_space(space: str) -> None:
    net = supernet(space=space)
    arch = SPACES[space]().sample(np.random.default_rng(0))
    ours, expected = path_gradient(net, arch, SHOWN[0]), backward(net, arch, SHOWN[0])
    assert ours
    for name, gradient in expected.items():
        part = tuple(map(slice, ours[name].shape)) if name in ours else ()
        inside = gradient[part].clone()
        gradient[part] = 0
        assert not gradient.any()
        if name in ours:
            torch.testing.assert_close(ours[name], inside, rtol=1e-4, atol=1e-6)


def test_of_sliced_weights_the_part_that_both_use_is_compared() -> None:
    net = supernet(space="nats_size", channels=8)
    narrow, wide = Arch("nats_size", (1, 3, 1, 3, 1)), Arch("nats_size", (3, 1, 3, 1, 3))
    found = gradient_similarities(net, [(narrow, wide)], SHOWN[:1])
    one, other = (path_gradient(net, arch, SHOWN[0]) for arch in (narrow, wide))
    name = "classifier.weight"
    width = min(one[name].shape[1], other[name].shape[1])
    assert max(one[name].shape[1], other[name].shape[1]) > width
    u, v = (torch.cat([each[name][:, :width].flatten(), each["classifier.bias"]]).double() for each in (one, other))
    assert found["classifier"][0] == pytest.approx(float(u @ v / (u.norm() * v.norm())))


@pytest.mark.parametrize("space", sorted(SPACES))
def test_stages_follow_one_another_in_every_space(space: str) -> None:
    net = supernet(space=space)
    stages = stages_of_weights(net)
    assert list(stages) == [name for name, _ in net.named_parameters()]
    known = [*net.stages, "classifier"]
    order = [known.index(stage) for stage in stages.values()]
    assert order == sorted(order)
    assert {stage for name, stage in stages.items() if name.startswith("classifier.")} == {"classifier"}
    for stage, module in net.stages.items():
        assert {stages[name] for name in stages if name.startswith(f"{module}.")} <= {stage}


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 1000))
def test_it_is_symmetric_within_one_and_one_with_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = SPACE.sample(rng), SPACE.sample(rng)
    found = gradient_similarities(supernet(seed), [(one, other), (other, one), (one, one)], SHOWN[:1])
    for stage, (there, back, own) in found.items():
        assert there == pytest.approx(back, nan_ok=True)
        assert math.isnan(there) or -1 <= there <= 1
        assert own == pytest.approx(1) or (math.isnan(own) and stage != "classifier")


def test_paths_are_not_dropped() -> None:
    net: Any = supernet(space="darts")
    arch = SPACES["darts"]().sample(np.random.default_rng(0))
    plain = path_gradient(net, arch, SHOWN[0])
    net.set_drop_path(0.9)
    dropped = path_gradient(net.train(), arch, SHOWN[0])
    assert all(torch.equal(dropped[name], gradient) for name, gradient in plain.items())


def test_images_with_opposite_labels_pull_apart() -> None:
    """With two classes, the gradient of the classifier changes its sign with the labels where its weights are zero."""
    net = supernet(num_classes=2)
    nn.init.zeros_(net.classifier.weight)
    nn.init.zeros_(net.classifier.bias)
    images, labels = SHOWN[0][0], torch.tensor([0, 0, 0, 1, 1, 1])
    one, other = (path_gradient(net, ONE, (images, each))["classifier.weight"] for each in (labels, 1 - labels))
    torch.testing.assert_close(one, -other)


def test_records_are_of_the_weights_at_ends_of_epochs() -> None:
    class Recorder(pl.Callback):
        found: list[dict[str, list[float]]]

        def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
            self.found = []

        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
            self.found.append(gradient_similarities(pl_module.net, PAIRS, SHOWN))

    recorder, similarity = Recorder(), GradientSimilarityCallback(SHOWN, PAIRS)
    fit(supernet_module(), recorder, similarity)
    assert repr(similarity.similarities) == repr(recorder.found)
    assert recorder.found[0]["whole"] != recorder.found[1]["whole"]
    assert [(record["epoch"], record["step"]) for record in similarity.records] == [(1, 3), (2, 6)]
    for record, found in zip(similarity.records, similarity.similarities, strict=True):
        assert record["whole/mean"] == pytest.approx(np.mean(found["whole"]))
        assert record["whole/std"] == pytest.approx(np.std(found["whole"], ddof=1))
        assert (record["stem/count"], record["stage1/count"]) == (2, 1)
        assert "stage1/std" not in record


def test_training_is_bit_for_bit_the_same_with_it() -> None:
    found = []
    for callbacks in ([GradientSimilarityCallback(SHOWN[:1], 3)], []):
        module = supernet_module()
        torch.manual_seed(1)
        trainer = fit(module, *callbacks)
        momenta = [state["momentum_buffer"] for state in trainer.optimizers[0].state.values()]
        tensors = [*module.state_dict().values(), *momenta, *(weight.grad for weight in module.parameters())]
        found.append((torch.rand(1).item(), [part.training for part in module.modules()], tensors))
    (draw, modes, tensors), (other_draw, other_modes, others) = found
    assert (draw, modes) == (other_draw, other_modes)
    assert all(torch.equal(one, other) for one, other in zip(tensors, others, strict=True) if one is not None)


def test_gradients_and_buffers_of_the_supernet_stay() -> None:
    net = supernet()
    for weight in net.parameters():
        weight.grad = torch.ones_like(weight)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    draws = torch.get_rng_state()
    gradient_similarities(net, PAIRS, SHOWN)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    gradients = [weight.grad for weight in net.parameters() if weight.grad is not None]
    assert len(gradients) == len(list(net.parameters()))
    assert all(torch.equal(gradient, torch.ones_like(gradient)) for gradient in gradients)
    assert torch.equal(torch.get_rng_state(), draws)


@pytest.mark.parametrize(("step", "pairs"), [(3, 3), (5, PAIRS)])
def test_resumed_it_is_as_if_never_stopped(tmp_path: Path, step: int, pairs: Any, saver: type[Any]) -> None:
    """From the end of an epoch, written before the end is told, and from the midst of the next."""
    whole, resumed = (GradientSimilarityCallback(SHOWN, pairs) for _ in range(2))
    fit(supernet_module(), whole, saver(tmp_path / "at.ckpt", step))
    fit(supernet_module(1), resumed, go_on_from=tmp_path / "at.ckpt", logger=CSVLogger(tmp_path, "", ""))
    assert len(resumed.records) == 2
    assert timeless(resumed.records) == timeless(whole.records)
    assert repr(resumed.similarities) == repr(whole.similarities)
    rows = csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines())
    logged = [float(row["gradient_similarity/whole/mean"]) for row in rows if row["gradient_similarity/seconds"]]
    of_this_start = whole.records[0 if step == 3 else 1 :]
    assert logged == pytest.approx([record["whole/mean"] for record in of_this_start], rel=1e-5)


def test_so_many_are_drawn_by_seed() -> None:
    drawn = []
    for seed in (0, 0, 1):
        callback = GradientSimilarityCallback(SHOWN, 4, seed=seed)
        with quiet_lightning():
            callback.setup(pl.Trainer(logger=False), supernet_module(), "fit")
        drawn.append(callback.pairs)
    assert drawn[0] == drawn[1] != drawn[2]
    archs = list(dict.fromkeys(itertools.chain.from_iterable(drawn[0])))
    assert drawn[0] == list(itertools.combinations(archs, 2))
    assert len(archs) == 4


def test_another_training_begins_anew() -> None:
    used, fresh = (GradientSimilarityCallback(SHOWN[:1], PAIRS) for _ in range(2))
    fit(supernet_module(), used, max_epochs=1)
    fit(supernet_module(1), used, max_epochs=1)
    fit(supernet_module(1), fresh, max_epochs=1)
    assert timeless(used.records) == timeless(fresh.records)


def test_gradients_that_are_not_finite_do_not_count() -> None:
    module, similarity = supernet_module(), GradientSimilarityCallback(SHOWN, PAIRS)
    with torch.no_grad():
        module.net.classifier.bias.fill_(math.nan)
    fit(module, similarity, max_epochs=1)
    assert np.isnan(similarity.similarities[0]["whole"]).all()
    assert similarity.records[0]["whole/count"] == 0
    assert "whole/mean" not in similarity.records[0]


@pytest.mark.parametrize("pairs", [3, PAIRS])
def test_it_is_picklable(pairs: Any) -> None:
    again = pickle.loads(pickle.dumps(GradientSimilarityCallback(SHOWN, pairs)))
    assert again.pairs == (pairs if isinstance(pairs, list) else [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": 1}, r"at least two architectures, of which to compare all pairs, got 1"),
        ({"pairs": True}, r"pairs of architectures, or a number of architectures, got True"),
        ({"pairs": []}, r"pairs of architectures, or a number of architectures, got \[\]"),
        ({"pairs": [ONE, OTHER]}, r"pairs of architectures, or a number of architectures"),
        ({"batches": iter(SHOWN)}, r"gone through again, got 'an iterator'"),
        ({"every_n_epochs": 0}, r"GradientSimilarityCallback\(every_n_epochs=0\)"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        GradientSimilarityCallback(**{"batches": SHOWN, **options})


def test_what_does_not_fit_the_training_is_named(make: Callable[..., pl.LightningModule]) -> None:
    with pytest.raises(UsageError, match="expected a SupernetModule, got 'Users'"):
        fit(make(), GradientSimilarityCallback(SHOWN))
    small = SPACE.region
    for decision, gene in enumerate(ONE.genes[:5]):
        small = small.replaced(decision, (gene,))
    module = SupernetModule(build_supernet(small, channels=4, cells=1))
    with pytest.raises(UsageError, match="expected archs of the supernet's region of nats_topology"):
        fit(module, GradientSimilarityCallback(SHOWN, PAIRS))
    with pytest.raises(UsageError, match="expected a region of 6 architectures, got 5"):
        fit(module, GradientSimilarityCallback(SHOWN, 6))
    state = GradientSimilarityCallback(SHOWN, PAIRS).state_dict()
    with pytest.raises(UsageError, match="expected pairs and seed of the checkpoint, nats_topology"):
        GradientSimilarityCallback(SHOWN, PAIRS[:1]).load_state_dict(state)
    with pytest.raises(UsageError, match="at least one batch, got 0"):
        gradient_similarities(supernet(), PAIRS, [])
    with pytest.raises(UsageError, match="at least two images in a batch, got 1"):
        path_gradient(supernet(), ONE, (SHOWN[0][0][:1], SHOWN[0][1][:1]))
