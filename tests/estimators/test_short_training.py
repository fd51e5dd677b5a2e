from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ShortTrainingEstimator, truncated_training
from lnas.nets import NetBuilder, build_net
from lnas.spaces import SPACES, NatsTopologySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
ARCH = SPACE.parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
TRIVIAL = SPACE.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
NET = NetBuilder(channels=4, cells=1)


def estimator(**options: Any) -> ShortTrainingEstimator:
    return ShortTrainingEstimator(NET, DigitsData(), **{"steps": 8, "accelerator": "cpu", **options})


class ByHand(NamedTuple):
    """Angles of the classifier after each step, of the features after the last; loss of each step, and after."""

    angles: list[float]
    features: float
    losses: list[float]
    after: float


def by_hand(steps: int) -> ByHand:
    """Algorithm 1 written out, on the same weights and images, unaugmented."""
    from lnas.nets import initialize
    from lnas.seeds import derive_seed

    torch.manual_seed(derive_seed(0, ARCH, "short_training", 0))
    net = build_net(ARCH, 10, channels=4, cells=1)
    initialize(net, "kaiming_uniform")
    data = DigitsData()
    proxy = estimator().proxy
    images = (torch.from_numpy(proxy.images).float() / 255 - data.mean[0]) / data.std[0]
    labels = torch.from_numpy(proxy.labels)
    classifier = [net.classifier.weight]
    features = [weight for weight in net.parameters() if weight.ndim == 4]
    starts = flat(classifier), flat(features)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9, nesterov=True, weight_decay=5e-4)
    losses, angles = [], []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(net(images), labels)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        angles.append(arccos(starts[0], flat(classifier)))
    with torch.no_grad():
        after = float(nn.functional.cross_entropy(net(images), labels))
    return ByHand(angles, arccos(starts[1], flat(features)), losses, after)


def flat(weights: list[nn.Parameter]) -> torch.Tensor:
    return torch.cat([weight.detach().double().reshape(-1) for weight in weights])


def arccos(u: torch.Tensor, v: torch.Tensor) -> float:
    return math.acos(float(u @ v / u.norm() / v.norm()))


def test_equals_algorithm_1_written_out() -> None:
    expected = by_hand(12)
    estimates = estimator(steps=12, augment=False).estimate(ARCH, seed=0)
    values = {name: item.value for name, item in estimates.items()}
    assert values == pytest.approx(
        {
            "angle": expected.angles[-1],
            "angle_feat": expected.features,
            "loss": expected.after,
            "loss_area": sum(expected.losses),
            "loss_tail": sum(expected.losses[-10:]) / 10,
        },
        rel=1e-4,
    )
    assert estimates["loss"].detail["curves"]["loss"] == pytest.approx(expected.losses, rel=1e-4)
    assert estimates["angle"].detail["curves"]["angle"] == pytest.approx(expected.angles, rel=1e-4)
    assert estimates["angle"].detail["cosine"] == pytest.approx(math.cos(expected.angles[-1]), rel=1e-5)


def test_loss_of_the_last_step_is_the_released_variant() -> None:
    released = estimator(augment=False, loss_at="last_step")
    assert released.estimate(ARCH, seed=0)["loss"].value == pytest.approx(by_hand(8).losses[-1], rel=1e-5)
    assert released.protocol != estimator(augment=False).protocol


def test_a_cell_without_a_path_keeps_its_classifier_as_published() -> None:
    estimates = estimator().estimate(TRIVIAL, seed=0)
    assert estimates["angle"].status == "ok"
    assert estimates["angle"].value < 1e-6
    assert estimates["loss"].value == pytest.approx(math.log(10), rel=1e-3)


def test_divergence_is_a_status_without_a_number() -> None:
    estimates = estimator(lr=1e30).estimate(ARCH, seed=0)
    assert {item.status for item in estimates.values()} == {"nonfinite"}
    assert all(math.isnan(item.value) for item in estimates.values())


def test_a_network_that_raises_is_a_failure_with_its_reason() -> None:
    def broken(arch: Arch, num_classes: int) -> nn.Module:
        raise MemoryError("no room")

    estimates = ShortTrainingEstimator(broken, DigitsData(), steps=2).estimate(ARCH, seed=0)
    assert {item.status for item in estimates.values()} == {"failed"}
    assert estimates["angle"].detail["error"] == "MemoryError: no room"


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"steps": 9}, True),
        ({"lr": 0.1}, True),
        ({"classes": 9}, True),
        ({"init": "kaiming_normal"}, True),
        ({"augment": False}, True),
        ({"proxy_seed": 1}, True),
        ({"epochs": 2}, True),
        ({"batch_size": 50}, True),
        ({"repeats": 2}, True),
        ({"protocol": "as_released"}, True),
        ({"accelerator": "auto"}, False),
        ({"checkpoints": "somewhere"}, False),
        ({"compiled": "default"}, False),
    ],
)
def test_protocol_holds_what_decides_the_numbers(change: dict[str, Any], differs: bool) -> None:
    assert (estimator(**change).protocol != estimator().protocol) is differs


def test_protocol_holds_the_net_and_the_images() -> None:
    other_net = ShortTrainingEstimator(NetBuilder(8, 1), DigitsData(), steps=8)
    other_images = ShortTrainingEstimator(NET, DigitsData(seed=1), steps=8)
    assert len({estimator().protocol.proxy, other_images.protocol.proxy}) == 2
    assert other_net.protocol != estimator().protocol


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 11}, r"classes <= 10, which is all that 'digits' has, got 11"),
        ({"steps": 0}, r"steps >= 1, got 0"),
        ({"lr": 0}, r"lr > 0, got 0"),
        ({"schedule": "cosine"}, r"epochs, over which the rate falls, got None"),
        ({"epochs": 2, "checkpoints": "x"}, r"a number of steps, got 'epochs=2'"),
        ({"protocol": "as_printed"}, r"unknown protocol 'as_printed'"),
        ({"init": "kaiming"}, r"unknown init 'kaiming'"),
        ({"images_per_class": 0}, r"images_per_class >= 1, got 0"),
    ],
)
def test_what_the_data_cannot_give_is_refused_at_construction(options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        estimator(**options)


def test_augmentation_draws_anew_each_step() -> None:
    steady = estimator(augment=False).estimate(ARCH, seed=0)["loss"].detail["curves"]["loss"]
    shifted = estimator(augment=True).estimate(ARCH, seed=0)["loss"].detail["curves"]["loss"]
    assert steady[0] != shifted[0]
    assert np.isfinite(shifted).all()


WEIGHTLESS = SPACE.parse("|skip_connect~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")


@pytest.mark.parametrize("arch", [TRIVIAL, WEIGHTLESS])
def test_the_released_code_puts_trivial_cells_last(arch: Arch) -> None:
    estimates = estimator(protocol="as_released").estimate(arch, seed=0)
    assert (estimates["angle"].value, estimates["loss"].value) == (math.pi / 2, 100.0)
    assert estimates["angle"].detail["trivial"] is True
    assert math.isfinite(estimates["angle"].detail["cosine"])


def test_the_released_code_takes_an_unturned_classifier_for_trivial() -> None:
    estimates = estimator(protocol="as_released", lr=1e-3).estimate(ARCH, seed=0)
    assert estimates["angle"].detail["trivial"] is True
    assert estimates["angle"].value == math.pi / 2


def test_the_released_code_keeps_cells_that_learn() -> None:
    released = estimator(protocol="as_released", lr=0.5).estimate(ARCH, seed=0)
    in_its_words = estimator(init="kaiming_normal", loss_at="last_step", lr=0.5).estimate(ARCH, seed=0)
    assert released["angle"].detail["trivial"] is False
    assert [item.value for item in released.values()] == [item.value for item in in_its_words.values()]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of what torch.compile calls
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_a_compiled_training_gives_the_same_up_to_rounding(tmp_path: Path) -> None:
    compiled = estimator(compiled="default", checkpoints=str(tmp_path)).estimate(ARCH, seed=0)
    plain = estimator().estimate(ARCH, seed=0)
    for name, item in plain.items():
        assert compiled[name].value == pytest.approx(item.value, rel=1e-3), compiled[name]
    longer = estimator(steps=9, checkpoints=str(tmp_path)).estimate(ARCH, seed=0)
    assert longer["loss"].value == pytest.approx(estimator(steps=9).estimate(ARCH, seed=0)["loss"].value, rel=1e-3)


@pytest.mark.parametrize("steps", [(2, 5), (3, 4, 8)])
def test_a_training_that_goes_on_equals_one_that_was_never_stopped(steps: tuple[int, ...], tmp_path: Path) -> None:
    *earlier, last = steps
    whole = estimator(steps=last)
    for number in earlier:
        whole.shortened(number, str(tmp_path)).estimate(ARCH, seed=0)
        assert len(list(tmp_path.iterdir())) == 1
    resumed = whole.shortened(last, str(tmp_path)).estimate(ARCH, seed=0)
    expected = whole.estimate(ARCH, seed=0)
    assert {name: item.value for name, item in resumed.items()} == {name: item.value for name, item in expected.items()}
    assert resumed["angle"].detail == expected["angle"].detail
    assert resumed["loss"].detail == expected["loss"].detail


def test_only_a_training_that_is_otherwise_alike_is_gone_on_from(tmp_path: Path) -> None:
    folder = str(tmp_path)
    estimator(steps=2, lr=0.1, checkpoints=folder).estimate(ARCH, seed=0)
    estimator(steps=2, checkpoints=folder).estimate(ARCH, seed=1)
    estimator(steps=2, checkpoints=folder).estimate(TRIVIAL, seed=0)
    values = estimator(steps=4, checkpoints=folder).estimate(ARCH, seed=0)["loss"].detail["curves"]["loss"]
    assert values == estimator(steps=4).estimate(ARCH, seed=0)["loss"].detail["curves"]["loss"]


def test_repeats_are_averaged_over_other_weights() -> None:
    twice = estimator(repeats=2).estimate(ARCH, seed=0)
    once = estimator().estimate(ARCH, seed=0)
    values = twice["angle"].detail["values"]
    assert values[0] == [once["angle"].value]
    assert values[0] != values[1]
    assert twice["angle"].value == pytest.approx(sum(map(sum, values)) / 2)
    assert len(twice["loss"].detail["curves"]["loss"]) == 8


def test_truncated_training_measures_accuracies() -> None:
    few = DigitsData(train_images=200)
    estimates = truncated_training(NET, few, epochs=3, batch_size=20).estimate(ARCH, seed=0)
    assert [*estimates][-2:] == ["train_acc@3", "val_acc@3"]
    assert 0.2 < estimates["val_acc@3"].value < estimates["train_acc@3"].value <= 1
    assert len(estimates["loss"].detail["curves"]["loss"]) == 30


def test_a_truncated_training_that_diverges_has_no_accuracy() -> None:
    few = ShortTrainingEstimator(NET, DigitsData(), epochs=1, batch_size=50, lr=1e30)
    assert {item.status for item in few.estimate(ARCH, seed=0).values()} == {"nonfinite"}


def test_the_learning_rate_of_truncated_training_falls_by_a_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    step = torch.optim.SGD.step

    def noted(self: torch.optim.SGD, closure: Any = None) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return step(self, closure)

    monkeypatch.setattr(torch.optim.SGD, "step", noted)
    truncated_training(NET, DigitsData(train_images=200), epochs=4, batch_size=100).estimate(TRIVIAL, seed=0)
    assert rates == pytest.approx([0.05 * (1 + math.cos(math.pi * epoch / 4)) for epoch in range(4) for _ in range(2)])


@pytest.mark.parametrize("name", SPACES)
def test_serves_every_space(name: str) -> None:
    space = SPACES[name]()
    arch = min((space.sample(np.random.default_rng(seed)) for seed in range(8)), key=lambda arch: arch.genes)
    net = NetBuilder(channels=4) if name.startswith(("nds", "nats_size")) else NetBuilder(channels=4, cells=2)
    short = ShortTrainingEstimator(net, DigitsData(), images_per_class=2, steps=2, accelerator="cpu")
    assert {item.status for item in short.estimate(arch, seed=0).values()} == {"ok"}


@pytest.mark.parametrize("name", ["nats_topology", "darts", "nasbench1shot1_3"])
def test_serves_regions_as_the_mixture_of_their_paths(name: str) -> None:
    region = SPACES[name]().region
    short = ShortTrainingEstimator(NetBuilder(channels=4, cells=2), DigitsData(), images_per_class=2, steps=2)
    whole = short.estimate(region, seed=0)
    decision, allowed = next((k, c) for k, c in enumerate(region.choices) if len(c) > 1)
    pruned = short.estimate(region.without(decision, allowed[-1]), seed=0)
    assert {item.status for item in (*whole.values(), *pruned.values())} == {"ok"}
    assert whole["angle"].value != pruned["angle"].value
