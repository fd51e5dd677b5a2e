from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ShortTrainingEstimator
from lnas.nets import NetBuilder, build_net
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
ARCH = SPACE.parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
TRIVIAL = SPACE.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
NET = NetBuilder(channels=4, cells=1)


def estimator(**options: Any) -> ShortTrainingEstimator:
    return ShortTrainingEstimator(NET, DigitsData(), **{"steps": 8, "accelerator": "cpu", **options})


def by_hand(steps: int) -> tuple[float, float, list[float]]:
    """Algorithm 1 written out, on the same weights and images, unaugmented: angle, loss after, loss by step."""
    from lnas.nets import initialize
    from lnas.seeds import derive_seed

    torch.manual_seed(derive_seed(0, ARCH, "short_training"))
    net = build_net(ARCH, 10, channels=4, cells=1)
    initialize(net, "kaiming_uniform")
    data = DigitsData()
    proxy = estimator().proxy
    images = (torch.from_numpy(proxy.images).float() / 255 - data.mean[0]) / data.std[0]
    labels = torch.from_numpy(proxy.labels)
    start = net.classifier.weight.detach().clone().double().flatten()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9, nesterov=True, weight_decay=5e-4)
    losses = []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(net(images), labels)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    end = net.classifier.weight.detach().double().flatten()
    angle = math.acos(float(start @ end / start.norm() / end.norm()))
    with torch.no_grad():
        after = float(nn.functional.cross_entropy(net(images), labels))
    return angle, after, losses


def test_equals_algorithm_1_written_out() -> None:
    angle, after, losses = by_hand(8)
    estimates = estimator(augment=False).estimate(ARCH, seed=0)
    assert estimates["angle"].value == pytest.approx(angle, rel=1e-5)
    assert estimates["loss"].value == pytest.approx(after, rel=1e-5)
    assert estimates["loss"].detail["curves"]["loss"] == pytest.approx(losses, rel=1e-5)
    assert estimates["angle"].detail["cosine"] == pytest.approx(math.cos(angle), rel=1e-6)


def test_loss_of_the_last_step_is_the_released_variant() -> None:
    released = estimator(augment=False, loss_at="last_step")
    assert released.estimate(ARCH, seed=0)["loss"].value == pytest.approx(by_hand(8)[2][-1], rel=1e-5)
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
        ({"accelerator": "auto"}, False),
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
