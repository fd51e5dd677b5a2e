"""Networks of lnas as timm makes them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from torch import nn

import lnas.export  # noqa: F401  registers the model
from lnas.errors import UsageError
from lnas.export.timm_model import LnasCell
from lnas.nets import NetBuilder
from lnas.spaces import SPACES

CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
SMALL: dict[str, Any] = {"channels": 4, "cells": 1}
IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
SIZES = {
    "nats_topology": {"channels": 4, "cells": 1},
    "nats_size": {"channels": 8},
    "nasbench101": {"channels": 8, "cells": 1},
    "nasbench1shot1_2": {"channels": 8, "cells": 1},
    "darts": {"channels": 2, "cells": 3, "drop_path": 0.5},
    "nds_resnet": {"channels": 2},
    "nds_resnext_a": {"channels": 8},
}


def cell(num_classes: int = 10, **options: Any) -> LnasCell:
    model = timm.create_model("lnas_cell", arch=CELL, num_classes=num_classes, **{**SMALL, **options})
    assert isinstance(model, LnasCell)
    return model.eval()


def logits(net: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return net(IMAGES)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    net = cell()
    tensors = {name: torch.full_like(tensor, 0.1) for name, tensor in net.state_dict().items()}
    tensors["classifier.weight"] = torch.arange(160.0).view(10, 16)
    safetensors.torch.save_file(tensors, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


@pytest.mark.parametrize("space", SIZES)
def test_it_is_the_very_network_of_every_space(space: str) -> None:
    arch = SPACES[space]().sample(np.random.default_rng(1))
    net = NetBuilder(**SIZES[space])(arch, 7).eval()
    model = timm.create_model("lnas_cell", arch=str(arch), num_classes=7, **SIZES[space]).eval()
    model.load_state_dict(net.state_dict())
    assert torch.equal(logits(model), logits(net))
    assert model.forward_head(model.forward_features(IMAGES), pre_logits=True).shape == (2, model.num_features)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    assert torch.equal(logits(twin), logits(net))
    assert not torch.equal(logits(model), logits(net))


def test_paths_are_dropped_in_training_alone() -> None:
    arch = SPACES["darts"]().sample(np.random.default_rng(1))
    model = timm.create_model("lnas_cell", arch=str(arch), channels=2, cells=3, drop_path_rate=0.5).eval()
    assert torch.equal(logits(model), logits(model))
    for module in model.train().modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    assert not torch.equal(logits(model), logits(model))


def test_classifiers_are_replaced_as_timm_does() -> None:
    model = cell()
    assert model.get_classifier() is model.classifier
    assert (model.num_classes, model.num_features) == (10, 16)
    model.reset_classifier(3, "avg")
    assert logits(model).shape == (2, 3)
    model.reset_classifier(0)
    with torch.no_grad():
        assert torch.equal(model(IMAGES), model.forward_head(model.forward_features(IMAGES), pre_logits=True))
    assert logits(cell(num_classes=0)).shape == (2, 16)


def test_its_configuration_is_that_of_the_benchmark() -> None:
    assert timm.data.resolve_model_data_config(cell())["input_size"] == (3, 32, 32)
    assert cell().default_cfg["mean"] == pytest.approx((0.4914, 0.4824, 0.4467), abs=1e-4)


def test_weights_are_loaded_by_timms_own_ways(weights: Path) -> None:
    expected = safetensors.torch.load_file(weights)
    for options in (
        {"pretrained": True, "pretrained_cfg_overlay": {"file": str(weights)}},
        {"checkpoint_path": str(weights)},
    ):
        model = cell(**options)
        assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("classes", [3, 100])
def test_for_other_classes_the_classifier_alone_is_new(classes: int, weights: Path) -> None:
    expected = safetensors.torch.load_file(weights)
    model = cell(classes, pretrained=True, pretrained_cfg_overlay={"file": str(weights)})
    new = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, expected[name])}
    assert new == {"classifier.weight", "classifier.bias"}


def test_the_classes_of_weights_are_those_of_the_file(tmp_path: Path) -> None:
    """Timm compares with the default's 10 classes, and would drop a trained classifier of 100."""
    net = cell(100)
    safetensors.torch.save_file(net.state_dict(), tmp_path / "w.safetensors")
    again = cell(100, pretrained=True, pretrained_cfg_overlay={"file": str(tmp_path / "w.safetensors")})
    assert torch.equal(again.classifier.weight, net.classifier.weight)


def test_other_weights_and_options_are_refused(weights: Path) -> None:
    with pytest.raises(UsageError, match=r"expected 'stem.0.weight' of shape \(8, 3, 3, 3\), got \(4, 3, 3, 3\)"):
        cell(7, channels=8, pretrained=True, pretrained_cfg_overlay={"file": str(weights)})
    with pytest.raises(UsageError, match=r"unknown option 'chanels'. Did you mean 'channels'"):
        cell(chanels=8)
    with pytest.raises(UsageError, match="expected 3 channels, got 1"):
        cell(in_chans=1)
    with pytest.raises(UsageError, match="unknown space 'nats'"):
        cell(space="nats")
    with pytest.raises(UsageError, match="expected 'avg', got 'max'"):
        cell().reset_classifier(3, "max")
