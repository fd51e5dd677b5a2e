"""Which parameters a name stands for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lnas.errors import UsageError
from lnas.nets import NetBuilder, build_net, build_supernet
from lnas.spaces import SPACES
from lnas.training.callbacks.groups import Biases, grouped_parameters


def names(module: nn.Module, group: str, biases: Biases = "excluded") -> list[str]:
    return list(grouped_parameters(module, group, biases, "AngleCallback(...)"))


class Plain(nn.Module):
    """A module with a frozen teacher behind its head, a shared layer, and parts named like the reserved groups."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.attention = nn.MultiheadAttention(4, 2)
        self.classifier = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
        self.again = self.features[0]
        self.teacher = nn.Linear(4, 2).requires_grad_(False)
        self.features_more = nn.Conv2d(3, 4, 1)


def test_the_classifier_is_the_last_linear_layer_that_is_trained() -> None:
    assert names(Plain(), "classifier") == ["classifier.1.weight"]
    assert names(Plain(), "classifier", "included") == ["classifier.1.weight", "classifier.1.bias"]


def test_features_are_all_other_trained_weights_without_the_scales_of_norms() -> None:
    expected = [
        "features.0.weight",
        "attention.in_proj_weight",
        "attention.out_proj.weight",
        "classifier.0.weight",
        "features_more.weight",
    ]
    assert names(Plain(), "features") == expected
    biases = {
        "features.0.bias",
        "features.1.bias",
        "attention.in_proj_bias",
        "attention.out_proj.bias",
        "classifier.0.bias",
        "features_more.bias",
    }
    assert set(names(Plain(), "features", "included")) == {*expected, *biases}


def test_a_part_named_like_a_reserved_group_is_had_with_a_dot() -> None:
    assert names(Plain(), "features.") == ["features.0.weight", "features.1.weight"]
    assert names(Plain(), "classifier.") == ["classifier.0.weight", "classifier.1.weight"]


def test_a_prefix_ends_where_a_name_does_and_takes_what_is_below() -> None:
    assert names(Plain(), "features.1") == ["features.1.weight"]
    assert names(Plain(), "classifier.1.weight") == ["classifier.1.weight"]
    assert names(Plain(), "teacher") == ["teacher.weight"]


def test_the_empty_prefix_is_the_whole_module_with_shared_weights_once() -> None:
    module = Plain()
    whole = grouped_parameters(module, "", "included", "")
    assert [id(weight) for weight in whole.values()] == [id(weight) for weight in module.parameters()]
    assert names(module, "again") == ["again.weight"]


@pytest.mark.parametrize("layer", [nn.LSTM(2, 3), nn.MultiheadAttention(4, 2), nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)])
def test_biases_are_known_by_their_names(layer: nn.Module) -> None:
    assert names(nn.ModuleDict({"layer": layer}), "layer") == [
        f"layer.{name}" for name, _ in layer.named_parameters() if "bias" not in name
    ]


def test_compiling_a_part_changes_no_name() -> None:
    module = Plain()
    plain = {group: names(module, group) for group in ("classifier", "features", "classifier.1")}
    module.classifier = torch.compile(module.classifier, backend="eager")  # type: ignore[assignment]
    assert any("_orig_mod" in name for name, _ in module.named_parameters())
    assert {group: names(module, group) for group in plain} == plain
    assert names(module, "classifier._orig_mod.1") == plain["classifier.1"]


@pytest.mark.parametrize("space", SPACES)
def test_the_classifier_of_every_spaces_nets_is_found(space: str) -> None:
    region = SPACES[space]().region
    arch = SPACES[space]().sample(np.random.default_rng(0))
    depth = {} if space in ("nats_size", "nds_resnet", "nds_resnext_a") else {"cells": 3 if space == "darts" else 1}
    with torch.device("meta"):
        nets = [build_net(arch, channels=4, **depth)]
        if space not in ("nds_resnet", "nds_resnext_a"):
            nets.append(build_supernet(region, channels=4, **depth))
        if space == "darts":
            nets.append(NetBuilder(channels=4, cells=3, auxiliary=True)(arch, 10))
    for net in nets:
        module = nn.ModuleDict({"net": net, "loss": nn.CrossEntropyLoss()})
        assert names(module, "classifier") == ["net.classifier.weight"]
        assert not any(name.startswith("net.classifier") for name in names(module, "features", "included"))


@pytest.mark.parametrize(
    ("module", "group", "message"),
    [
        (Plain(), "clasifier", r"unknown group of weights 'clasifier'\. Did you mean 'classifier'\?"),
        (Plain(), "teachers", r"Did you mean 'teacher'\?"),
        (Plain(), "classifier.2", r"Did you mean 'classifier\.[01]'\?"),
        (Plain(), "feature", r"unknown group of weights 'feature'\. Did you mean 'features'\?"),
        (Plain(), "teacher.bias", r"a group with weights, got \['teacher.bias'\]\. biases='included'"),
        (nn.Conv2d(1, 1, 1), "classifier", r"got \[\]\. It has no linear layer that is trained: name a prefix"),
        (nn.Linear(2, 2), "features", r"got \[\]\. Nothing is trained but the last linear layer"),
        (nn.ReLU(), "classifier", r"expected a module with parameters, got 'ReLU'"),
        (nn.LazyLinear(2), "classifier", r"weights of known shapes, got 'weight'"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_is_not_there_is_refused_by_name(module: nn.Module, group: str, message: str) -> None:
    with pytest.raises(UsageError, match=rf"^AngleCallback\(\.\.\.\): .*{message}"):
        names(module, group)
