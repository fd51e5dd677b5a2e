"""Each law of networks notices a network that breaks it."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from lnas.nets import RegionNet
from lnas.nets.choice import OperationChoice, Pick
from lnas.testing import NetContract, TinySpace
from lnas.types import Region

NAMES = ("narrow", "wide")


class TinyNet(RegionNet):
    """Three layers, each a choice of two convolutions."""

    def __init__(self, region: Region) -> None:
        super().__init__(region)
        self.layers = nn.ModuleList(OperationChoice(allowed, NAMES, self._layer) for allowed in region.choices)
        self.head = nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.stages = {"first": "layers.0", "head": "head"}
        self.classifier = nn.Linear(3, 5)

    @staticmethod
    def _layer(name: str) -> nn.Module:
        kernel = 1 if name == "narrow" else 3
        return nn.Sequential(nn.Conv2d(3, 3, kernel, padding=kernel // 2), nn.BatchNorm2d(3), nn.ReLU())

    def features(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        x = images
        for layer, pick in zip(self.layers, picks, strict=True):
            x = x + layer(x, pick)
        return self.head(x)

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        return self.classifier(self.features(images, picks))


class OtherPath(TinyNet):
    def logits(self, images, picks):
        return super().logits(images if self.region.is_single else images + 0.1, picks)


class OtherWeights(TinyNet):
    def subnet(self, arch):
        net = super().subnet(arch)
        net.classifier = copy.deepcopy(net.classifier)
        return net


class ActivePath(TinyNet):
    def logits(self, images, picks):
        found = super().logits(images, getattr(self, "path", picks))
        self.path = picks
        return found


class EveryPath(TinyNet):
    def logits(self, images, picks):
        others = sum(self.features(images, [choice] * 3).sum() for choice in self.region.choices[0])
        return super().logits(images, picks) + 0 * others


class AfterClassifier(TinyNet):
    def logits(self, images, picks):
        return super().logits(images, picks) * 2


class EarlyHead(TinyNet):
    def __init__(self, region):
        super().__init__(region)
        self.stages = {"head": "head", "first": "layers.0"}


class EqualMixture(TinyNet):
    def logits(self, images, picks):
        mixed = [torch.full_like(pick, 1 / len(pick)) if isinstance(pick, Tensor) else pick for pick in picks]
        return super().logits(images, mixed)


class Lenient(TinyNet):
    def _require(self, arch, call):
        if arch.space != self.region.space:
            super()._require(arch, call)


class Unpicklable(TinyNet):
    def __init__(self, region):
        super().__init__(region)
        self.function = lambda x: x


BROKEN = {
    "test_a_path_is_the_subnet_bit_for_bit": OtherPath,
    "test_a_path_is_the_stand_alone_net_with_the_same_weights": OtherPath,
    "test_a_subnet_shares_the_weights": OtherWeights,
    "test_no_call_depends_on_an_earlier_one": ActivePath,
    "test_gradients_reach_the_path_only": EveryPath,
    "test_the_classifier_is_the_last_linear_layer": AfterClassifier,
    "test_stages_can_be_asked_for_by_name": EarlyHead,
    "test_a_mixture_of_one_is_the_path": EqualMixture,
    "test_what_is_outside_the_region_is_refused": Lenient,
    "test_it_can_be_pickled_and_copied": Unpicklable,
}


def call(law: str, build: type[TinyNet]) -> None:
    torch.manual_seed(0)
    getattr(NetContract(), law)(TinySpace(), build, torch.randn(2, 3, 6, 6))


def test_every_law_has_a_net_that_breaks_it() -> None:
    assert {name for name in vars(NetContract) if name.startswith("test_")} == BROKEN.keys()


@pytest.mark.parametrize("law", BROKEN)
def test_a_sound_net_passes(law: str) -> None:
    call(law, TinyNet)


@pytest.mark.parametrize("law", BROKEN)
def test_the_law_notices_a_net_that_breaks_it(law: str) -> None:
    with pytest.raises((AssertionError, AttributeError, RuntimeError, KeyError)):
        call(law, BROKEN[law])
