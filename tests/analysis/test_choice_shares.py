from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lnas.analysis.choice_shares import choice_shares
from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NatsSizeSpace, NatsTopologySpace, NdsResNetSpace, SearchSpace
from lnas.types import Arch


@pytest.mark.parametrize(
    "space", [NatsTopologySpace(), NatsSizeSpace(), DartsSpace(), NdsResNetSpace()], ids=lambda space: space.name
)
def test_they_are_counted_by_name(space: SearchSpace) -> None:
    archs = [space.sample(np.random.default_rng(seed)) for seed in range(5)]
    found = choice_shares(archs, space)
    np.testing.assert_allclose(np.sum(list(found.values()), axis=0), 1)
    for k, arch in enumerate(archs):
        counts = Counter(space.choice_name(decision, gene) for decision, gene in enumerate(arch.genes))
        shares = {name: count / len(arch.genes) for name, count in counts.items()}
        assert {name: own[k] for name, own in found.items() if own[k]} == pytest.approx(shares)


def test_an_absent_edge_of_darts_is_none() -> None:
    space = DartsSpace()
    found = choice_shares([space.sample(np.random.default_rng(0))], space)
    assert found["none"].tolist() == [12 / 28]


def test_no_architectures_have_no_shares_and_those_of_another_space_are_refused() -> None:
    assert choice_shares([], NatsTopologySpace())["none"].shape == (0,)
    with pytest.raises(UsageError, match="an arch of 'nats_topology'"):
        choice_shares([Arch("tiny", (0, 0, 0))], NatsTopologySpace())
