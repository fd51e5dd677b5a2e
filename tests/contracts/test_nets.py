"""The laws of the networks of every space."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from lnas.nets import RegionNet, build_supernet
from lnas.spaces import SPACES, SearchSpace
from lnas.testing import NetContract
from lnas.types import Region

SIZES = {
    "nats_topology": {"channels": 8, "cells": 1},
    "nats_size": {"channels": 16},
    "nasbench101": {"channels": 8, "cells": 1},
    "nasbench1shot1_1": {"channels": 8, "cells": 1},
    "nasbench1shot1_2": {"channels": 8, "cells": 1},
    "nasbench1shot1_3": {"channels": 8, "cells": 1},
    "darts": {"channels": 8, "cells": 3},
    "nds_resnet": {"channels": 8},
    "nds_resnext_a": {"channels": 8},
}
CASES = {name: (make(), SIZES[name]) for name, make in SPACES.items()}
CASES["nats_topology, narrow and affine"] = (SPACES["nats_topology"](), {"channels": 4, "cells": 1, "affine": True})


class TestNets(NetContract):
    @pytest.fixture(params=CASES)
    def case(self, request: pytest.FixtureRequest) -> tuple[SearchSpace, dict]:
        torch.manual_seed(0)
        return CASES[request.param]

    def mixes(self, space: SearchSpace) -> bool:
        """Widths of NAS-Bench-101 depend on the graph."""
        return space.name != "nasbench101"

    def region(self, space: SearchSpace) -> Region:
        """Leave out the depths of NDS that take seconds a forward pass."""
        if not space.name.startswith("nds_"):
            return space.region
        return Region(space.name, ((0, 1, 2),) * 3 + space.region.choices[3:])

    @pytest.fixture
    def space(self, case: tuple[SearchSpace, dict]) -> SearchSpace:
        return case[0]

    @pytest.fixture
    def build(self, case: tuple[SearchSpace, dict]) -> Callable[[Region], RegionNet]:
        return partial(build_supernet, **case[1])

    @pytest.fixture
    def images(self) -> Tensor:
        return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
