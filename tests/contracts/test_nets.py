"""The laws of the networks of every space."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from lnas.nets import RegionNet, build_supernet
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.testing import NetContract
from lnas.types import Region

CASES = {
    "nats_topology": (NatsTopologySpace(), {"channels": 8, "cells": 1}),
    "nats_topology, narrow and affine": (NatsTopologySpace(), {"channels": 4, "cells": 1, "affine": True}),
}


class TestNets(NetContract):
    @pytest.fixture(params=CASES)
    def case(self, request: pytest.FixtureRequest) -> tuple[SearchSpace, dict]:
        torch.manual_seed(0)
        return CASES[request.param]

    @pytest.fixture
    def space(self, case: tuple[SearchSpace, dict]) -> SearchSpace:
        return case[0]

    @pytest.fixture
    def build(self, case: tuple[SearchSpace, dict]) -> Callable[[Region], RegionNet]:
        return partial(build_supernet, **case[1])

    @pytest.fixture
    def images(self) -> Tensor:
        return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
