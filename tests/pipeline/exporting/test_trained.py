"""From a training to its description."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.nets import NetBuilder
from lnas.pipeline.exporting.trained import trained_net
from lnas.training import Retraining
from lnas.types import Arch


class NamedDigits(DigitsData):
    classes = tuple("0123456789")


def own_net(arch: Arch, num_classes: int) -> Any:
    raise NotImplementedError


DESCRIBED = partial(trained_net, recipe=Retraining(epochs=3), seed=5)
CELL = Arch("nats_topology", (3, 0, 2, 1, 0, 3))


def test_all_that_its_user_needs_is_there() -> None:
    trained = DESCRIBED(CELL, NetBuilder(cells=2), NamedDigits(), {"test_acc": 0.5, "val_loss": float("nan")})
    assert trained.notation == "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    assert trained.builder() == NetBuilder(channels=16, cells=2, bn_momentum=0.1)
    assert trained.metrics == {"test_acc": 0.5}
    assert trained.recipe["epochs"] == 3
    assert trained.task.classes == tuple("0123456789")
    assert (trained.task.input_size, trained.task.splits["test"].images) == ((3, 8, 8), 600)
    assert trained.versions.keys() == {"lnas", "torch", "numpy"}


def test_a_net_of_ones_own_is_named_by_its_path() -> None:
    trained = DESCRIBED(Arch("own", (1,)), own_net, DigitsData(), {})
    assert (trained.net, trained.notation) == (f"{__name__}.own_net", "own:1")
    with pytest.raises(UsageError, match=rf"got '{__name__}\.own_net'"):
        trained.builder()


def test_a_metric_without_a_split_is_refused() -> None:
    with pytest.raises(UsageError, match="got 'accuracy'"):
        DESCRIBED(CELL, NetBuilder(), DigitsData(), {"accuracy": 0.5})
