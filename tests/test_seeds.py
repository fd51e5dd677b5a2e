from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.seeds import derive_seed
from lnas.types import Arch

PARTS = st.lists(st.text(max_size=4), max_size=4)
quickly = settings(deadline=None, max_examples=50)


@pytest.mark.parametrize(
    ("parts", "seed"),
    [
        ((), 309_448_485),
        ((0,), 695_092_613),
        ((0, Arch("nats_topology", (3, 1, 2, 0, 4, 3)), "net"), 1_130_300_510),
        (("ä", -1), 3_504_176_783),
    ],
)
def test_seeds_of_old_runs_stay_what_they_were(parts, seed):
    assert derive_seed(*parts) == seed


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_seed_is_the_same_in_every_process(hash_seed):
    code = "from lnas.seeds import derive_seed; print(derive_seed('a', 1))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(printed.stdout) == derive_seed("a", 1)


@quickly
@given(PARTS)
def test_seed_fits_into_32_bits(parts):
    assert 0 <= derive_seed(*parts) < 2**32


def test_seeds_use_all_32_bits():
    seeds = [derive_seed(number) for number in range(200)]
    assert len(set(seeds)) == 200
    assert max(seeds) > 2**31 > min(seeds)


@quickly
@given(PARTS, PARTS)
def test_other_parts_give_another_seed(one, other):
    assert (derive_seed(*one) == derive_seed(*other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "bc"), ("ab", "c")), (("1:a",), ("a",)), (("a", ""), ("a",)), (("a1:b",), ("a", "b"))],
)
def test_the_borders_between_parts_count(one, other):
    assert derive_seed(*one) != derive_seed(*other)


def test_parts_count_by_their_text():
    assert derive_seed(1) == derive_seed("1")
