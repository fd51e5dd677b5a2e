"""Classes within a region, against all architectures one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NatsTopologySpace, NdsResNeXtASpace
from lnas.spaces.isomorphs import classes_within
from lnas.types import Arch, Region

SPACE = NatsTopologySpace()


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_members_are_all_the_regions_architectures_once_and_only_twins_are_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    choices = tuple(tuple(sorted(rng.choice(5, rng.integers(1, 4), replace=False).tolist())) for _ in range(6))
    region = Region(SPACE.name, choices)
    found = classes_within(SPACE, region, "test")
    members = [arch for own in found.values() for arch in own]
    assert len(members) == len({*members}) == np.prod([len(allowed) for allowed in choices])
    assert all(arch in region for arch in members)
    assert all(SPACE.canonical(arch) == representative for representative, own in found.items() for arch in own)
    assert all(list(own) == sorted(own) for own in found.values())


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (NdsResNeXtASpace(), r"test: expected a region .* at most 1,000,000 .* got '11,390,625 of nds_resnext_a'"),
        (DartsSpace(), r"of independent decisions .* of darts"),
    ],
)
def test_what_cannot_be_listed_is_named(space: NdsResNeXtASpace | DartsSpace, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        classes_within(space, space.region, "test")
    with pytest.raises(UsageError, match="a region of 'nats_topology'"):
        classes_within(SPACE, Region.of(Arch("tiny", (0,))), "test")
