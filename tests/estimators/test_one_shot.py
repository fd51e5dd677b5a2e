"""One-shot scores against the supernet evaluated by hand, and what does not fit."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import jsonargparse
import lightning.pytorch as pl
import numpy as np
import pytest
import safetensors.torch
import torch
from torch.nn import functional

from lnas.data import DigitsData
from lnas.data.batches import PreparedBatches
from lnas.errors import UsageError
from lnas.estimators import OneShotEstimator, factories_for, one_shot
from lnas.nets import NetBuilder, RegionNet, build_supernet
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.store import protocol_key
from lnas.training import SupernetModule, path_evaluation, quiet_lightning
from lnas.types import Arch, Region

SPACE, DATA = NatsTopologySpace(), DigitsData()
SMALL = NetBuilder(channels=4, cells=1, affine=False)
ARCH, OTHER = (SPACE.sample(np.random.default_rng(seed)) for seed in (0, 1))
NET = NetBuilder()
OF_EIGHT = "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|skip_connect~2|"


@pytest.fixture(scope="module")
def supernet() -> RegionNet:
    torch.manual_seed(0)
    return build_supernet(SPACE, 10, 4, 1)


@pytest.fixture
def weights(supernet: RegionNet, tmp_path: Path) -> str:
    path = tmp_path / "supernet.safetensors"
    safetensors.torch.save_file(supernet.state_dict(), path)
    return str(path)


@pytest.fixture
def make(weights: str) -> Callable[..., OneShotEstimator]:
    """Make one of two batches of 32 images."""

    def made(**options: Any) -> OneShotEstimator:
        defaults = {"weights": weights, "supernet": SMALL, "batches": 2, "batch_size": 32, "device": "cpu"}
        return OneShotEstimator(NET, DATA, **{**defaults, **options})

    return made


def values(estimator: OneShotEstimator, arch: Arch = ARCH) -> list[float]:
    return [estimate.value for estimate in estimator.estimate(arch, seed=0).values()]


def checkpoint(path: Path, region: Region) -> str:
    torch.manual_seed(1)
    module = SupernetModule(build_supernet(region, 10, 4, 1))
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=1, logger=False, enable_checkpointing=False, enable_progress_bar=0
    )
    batch = torch.randn(4, 3, 8, 8), torch.arange(4)
    with quiet_lightning():
        trainer.fit(module, torch.utils.data.DataLoader([batch], batch_size=None))
        trainer.save_checkpoint(path)
    return str(path)


def test_scores_are_those_of_the_path_over_the_first_batches_in_order(
    supernet: RegionNet, make: Callable[..., OneShotEstimator]
) -> None:
    hits, loss = 0, 0.0
    alone = supernet.subnet(ARCH).train()
    for start in (0, 32):
        chosen = DATA.splits["val"].take(np.arange(start, start + 32))
        images, labels = next(iter(PreparedBatches(chosen, DATA, 32)))
        with torch.no_grad():
            logits = alone(images)
        hits += int((logits.argmax(1) == labels).sum())
        loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
    assert values(make()) == [hits / 64, pytest.approx(loss / 64, rel=1e-5)]


def test_numbers_depend_on_batches_their_size_the_split_and_the_statistics(
    make: Callable[..., OneShotEstimator],
) -> None:
    others = ({}, {"batches": 1}, {"batches": None}, {"batch_size": 30}, {"split": "train"}, {"statistics": "running"})
    recalibrated = ({"statistics": "recalibrated", "calibration": count} for count in (1, 2))
    estimators = [make(**options) for options in (*others, *recalibrated)]
    assert len({tuple(values(estimator)) for estimator in estimators}) == 8
    assert len({protocol_key(estimator.protocol) for estimator in estimators}) == 8
    assert asdict(make(calibration=1).protocol) == asdict(make(calibration=2).protocol)


def test_weights_are_known_by_content(
    supernet: RegionNet, make: Callable[..., OneShotEstimator], tmp_path: Path
) -> None:
    same, other = tmp_path / "same.safetensors", tmp_path / "other.safetensors"
    safetensors.torch.save_file(supernet.state_dict(), same)
    safetensors.torch.save_file(build_supernet(SPACE, 10, 4, 1).state_dict(), other)
    assert make().protocol == make(weights=str(same)).protocol != make(weights=str(other)).protocol
    assert values(make()) == values(make(weights=str(same))) != values(make(weights=str(other)))


def test_the_supernet_is_loaded_once_and_not_pickled(make: Callable[..., OneShotEstimator]) -> None:
    estimator = make()
    size = len(pickle.dumps(estimator))
    before = values(estimator)
    assert estimator._supernets_of(ARCH) is estimator._supernets_of(OTHER)
    assert len(pickle.dumps(estimator)) < size + 1000
    assert values(pickle.loads(pickle.dumps(estimator))) == before


def test_a_checkpoint_says_its_region(make: Callable[..., OneShotEstimator], tmp_path: Path) -> None:
    region = SPACE.region.without(1, OTHER.genes[1])
    path = checkpoint(tmp_path / "part.ckpt", region)
    estimator = make(weights=path)
    inside = SPACE.sample_from(region, np.random.default_rng(0))
    net = build_supernet(region, 10, 4, 1)
    saved = torch.load(path, weights_only=True)["state_dict"]
    net.load_state_dict({name.removeprefix("net."): tensor for name, tensor in saved.items()})
    images = [next(iter(PreparedBatches(DATA.splits["val"], DATA, 32)))]
    assert values(make(weights=path, batches=1), inside) == list(
        path_evaluation.evaluate_paths(net, [inside], images)[inside]
    )
    with pytest.raises(UsageError, match=rf"region of nats_topology, got '{OTHER}'"):
        estimator.estimate(OTHER, seed=0)


def saved(path: Path, seed: int = 1) -> str:
    """Save other weights of the whole space."""
    torch.manual_seed(seed)
    torch.save(build_supernet(SPACE, 10, 4, 1).state_dict(), path)
    return str(path)


def test_several_supernets_give_the_mean_of_what_each_gives(
    make: Callable[..., OneShotEstimator], weights: str, tmp_path: Path
) -> None:
    """Also one of a part of the space, as a checkpoint says, and one that has no number."""
    part = checkpoint(tmp_path / "part.ckpt", SPACE.region.without(1, OTHER.genes[1]))
    files = [weights, saved(tmp_path / "other.pt"), part]
    each = np.array([values(make(weights=path)) for path in files])
    together = make(weights=files)
    assert values(together) == pytest.approx(each.mean(axis=0), rel=1e-12)
    estimates = together.estimate(ARCH, seed=0)
    assert [estimate.detail["values"] for estimate in estimates.values()] == each.T[:, :, None].tolist()
    assert len(together.protocol.weights) == 3
    assert make(weights=[weights]).protocol == make(weights=weights).protocol
    with pytest.raises(UsageError, match=rf"region of nats_topology, got '{OTHER}'"):
        together.estimate(OTHER, seed=0)

    broken = torch.load(files[1], weights_only=True)
    broken["classifier.bias"][0] = torch.nan
    torch.save(broken, tmp_path / "broken.pt")
    estimates = make(weights=[weights, str(tmp_path / "broken.pt")]).estimate(ARCH, seed=0)
    assert [(estimate.status, estimate.detail["at"]) for estimate in estimates.values()] == [("nonfinite", [1, 0])] * 2


def twins_of(arch: Arch) -> list[Arch]:
    return [twin for twin in SPACE.archs() if SPACE.canonical(twin) == SPACE.canonical(arch)]


def test_a_class_has_the_mean_of_its_members_and_is_evaluated_once(
    make: Callable[..., OneShotEstimator], weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins = twins_of(SPACE.parse(OF_EIGHT))
    assert len(twins) == 8
    files = [weights, saved(tmp_path / "other.pt")]
    own = np.array([values(make(weights=files), twin) for twin in twins])
    assert len({*map(tuple, own)}) > 1  # they do have numbers of their own
    asked: list[int] = []
    evaluate = path_evaluation.evaluate_paths
    monkeypatch.setattr(
        path_evaluation,
        "evaluate_paths",
        lambda net, archs, *rest: asked.append(len(archs)) or evaluate(net, archs, *rest),
    )
    averaged = make(weights=files, members="class")
    first, last = (averaged.estimate(twin, seed=0) for twin in (twins[0], twins[-1]))
    assert [estimate.value for estimate in first.values()] == pytest.approx(own.mean(axis=0), rel=1e-6)
    assert [(each.value, each.detail, each.seconds) for each in last.values()] == [
        (each.value, each.detail, 0.0) for each in first.values()
    ]
    assert asked == [8, 8]
    assert all(estimate.seconds > 0 for estimate in first.values())
    alone = make(members="class").estimate(twins[0], seed=0)
    assert [estimate.detail for estimate in alone.values()] == [{"members": 8}] * 2
    assert averaged.protocol != make(weights=files).protocol
    again = pickle.loads(pickle.dumps(averaged))
    assert again.estimate(twins[-1], seed=0)["oneshot_loss"].value == first["oneshot_loss"].value
    assert len(asked) == 5


def test_members_outside_the_region_do_not_count(make: Callable[..., OneShotEstimator], tmp_path: Path) -> None:
    twins = twins_of(SPACE.parse(OF_EIGHT))
    region = SPACE.region.without(1, twins[0].genes[1])
    inside = [twin for twin in twins if twin in region]
    assert len(inside) == 6
    path = checkpoint(tmp_path / "part.ckpt", region)
    own = np.array([values(make(weights=path), twin) for twin in inside])
    averaged = make(weights=path, members="class")
    assert values(averaged, inside[1]) == pytest.approx(own.mean(axis=0), rel=1e-6)
    with pytest.raises(UsageError, match="expected an arch of the supernet's region"):
        averaged.estimate(twins[0], seed=0)


def test_what_failed_is_tried_again_for_the_next_of_its_class(
    make: Callable[..., OneShotEstimator], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*args: Any) -> None:
        raise MemoryError("no more")

    averaged = make(members="class", batches=1)
    with monkeypatch.context() as patch:
        patch.setattr(path_evaluation, "evaluate_paths", raises)
        assert averaged.estimate(ARCH, seed=0)["oneshot_loss"].status == "failed"
    assert averaged.estimate(ARCH, seed=0)["oneshot_loss"].status == "ok"


def test_a_space_whose_classes_cannot_be_listed_is_named(make: Callable[..., OneShotEstimator], tmp_path: Path) -> None:
    arch = DartsSpace().sample(np.random.default_rng(0))
    path = checkpoint(tmp_path / "darts.ckpt", Region.of(arch))
    with pytest.raises(UsageError, match=r"OneShotEstimator\(members='class'\): expected a region of independent"):
        make(weights=path, members="class").estimate(arch, seed=0)


def test_a_config_names_one_file_or_several() -> None:
    parser = jsonargparse.ArgumentParser()
    parser.add_argument(
        "--weights", type=inspect.signature(OneShotEstimator, eval_str=True).parameters["weights"].annotation
    )
    assert parser.parse_args(["--weights=a.ckpt"]).weights == "a.ckpt"
    assert parser.parse_args(["--weights=[a.ckpt, b.ckpt]"]).weights == ["a.ckpt", "b.ckpt"]


def test_a_path_whose_logits_are_not_finite_has_no_number(
    supernet: RegionNet, make: Callable[..., OneShotEstimator], tmp_path: Path
) -> None:
    broken = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    broken["classifier.bias"][0] = torch.nan
    path = tmp_path / "broken.pt"
    torch.save(broken, path)
    estimates = make(weights=str(path)).estimate(ARCH, seed=0)
    assert [estimate.status for estimate in estimates.values()] == ["nonfinite", "nonfinite"]


def test_what_raises_has_failed(make: Callable[..., OneShotEstimator], monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*args: Any) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(path_evaluation, "evaluate_paths", raises)
    found = make().estimate(ARCH, seed=0)["oneshot_loss"]
    assert (found.status, found.detail) == ("failed", {"error": "MemoryError: no more"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batches": 0}, r"batches >= 1, got 0"),
        ({"batch_size": 1}, r"batch_size >= 2, got 1"),
        ({"batch_size": 0, "statistics": "running"}, r"batch_size >= 1, got 0"),
        ({"calibration": 0}, r"calibration >= 1, got 0"),
        ({"members": "clas"}, r"unknown members 'clas'. Did you mean 'class'"),
        ({"weights": []}, r"expected one file, or several of which each is named once, got \[\]"),
        ({"weights": ["a.ckpt", "a.ckpt"]}, r"each is named once, got \['a.ckpt', 'a.ckpt'\]"),
        ({"statistics": "runing"}, r"unknown statistics 'runing'. Did you mean 'running'"),
        ({"split": "valid"}, r"unknown split 'valid'"),
        ({"device": "cuda"}, r"unknown device 'cuda'"),
        ({"supernet": NetBuilder(channels=4, cells=1, drop_path=0.1)}, r"no 'drop_path' for a supernet, got 0.1"),
        ({"supernet": NetBuilder(channels=8, cells=1, affine=False)}, r"expected a tensor .* do not fit"),
        ({"batches": 11}, r"expected at most 10 batches, the 300 images of split 'val', got 11"),
        ({"batches": None, "batch_size": 299}, r"at least two images .* got 1"),
        ({"weights": "nowhere.pt"}, r"nowhere.pt': expected a file that can be read"),
    ],
)
def test_what_cannot_be_is_named(make: Callable[..., OneShotEstimator], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(**options).estimate(ARCH, seed=0)


def test_a_supernet_of_another_space_is_named(make: Callable[..., OneShotEstimator], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="do not fit: give `supernet` the options of the one saved, and archs of its"):
        make().estimate(DartsSpace().sample(np.random.default_rng(0)), seed=0)
    path = checkpoint(tmp_path / "darts.ckpt", Region.of(DartsSpace().sample(np.random.default_rng(0))))
    with pytest.raises(UsageError, match="expected a supernet of nats_topology, got 'one of darts'"):
        make(weights=path).estimate(ARCH, seed=0)
    with pytest.raises(UsageError, match="expected an Arch of a space that has supernets, got 'tiny:0'"):
        make().estimate(Arch("tiny", (0,)), seed=0)
    with pytest.raises(UsageError, match="expected an Arch of a space that has supernets"):
        make().estimate(SPACE.region, seed=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("saved", [{"state_dict": {}}, {"state_dict": {}, "hyper_parameters": {"region": "x"}}, [1]])
def test_a_checkpoint_of_something_else_is_named(
    make: Callable[..., OneShotEstimator], tmp_path: Path, saved: object
) -> None:
    path = tmp_path / "other.ckpt"
    torch.save(saved, path)
    with pytest.raises(UsageError, match="expected a checkpoint that a SupernetModule's Trainer wrote"):
        make(weights=str(path)).estimate(ARCH, seed=0)


def test_a_checkpoint_that_changes_is_another(make: Callable[..., OneShotEstimator], tmp_path: Path) -> None:
    path = tmp_path / "supernet.ckpt"
    torch.save({}, path)
    estimator = make(weights=str(path))
    assert estimator.protocol.weights
    checkpoint(path, SPACE.region)
    with pytest.raises(UsageError, match="Start anew"):
        estimator.estimate(ARCH, seed=0)


def test_a_bare_name_says_what_it_lacks() -> None:
    with pytest.raises(UsageError, match=r"measure 'oneshot_acc'.*Name OneShotEstimator with `weights`"):
        factories_for(["oneshot_acc"])


def test_statistics_are_those_of_the_evaluation() -> None:
    assert get_args(one_shot.Statistics) == get_args(path_evaluation.Statistics)
