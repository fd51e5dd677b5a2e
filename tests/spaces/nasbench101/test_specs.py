from __future__ import annotations

import numpy as np
import pytest

from lnas.spaces.nasbench101.specs import codes_within, valid_codes

PAIRS = [(source, target) for target in range(7) for source in range(target)]
EVERYTHING = (1 << 21) - 1


def valid(codes: np.ndarray) -> np.ndarray:
    """Another way to tell: count the walks of every length between any two vertices."""
    matrices = np.zeros((len(codes), 7, 7), dtype=np.float32)
    for place, (source, target) in enumerate(reversed(PAIRS)):
        matrices[:, source, target] = codes >> place & 1
    walks = step = np.eye(7, dtype=np.float32)
    for _ in range(6):
        step = step @ matrices
        walks = walks + step
    live = (walks[:, 0, :] > 0) & (walks[:, :, 6] > 0)
    edges = (matrices * live[:, :, None] * live[:, None, :]).sum(axis=(1, 2))
    return (edges >= 1) & (edges <= 9)


def test_codes_are_those_of_valid_matrices():
    codes = np.random.default_rng(0).integers(1 << 21, size=20_000)
    found = np.isin(codes, valid_codes())
    assert 0 < found.sum() < len(codes)
    assert (found == valid(codes)).all()


@pytest.mark.slow
def test_number_of_valid_matrices():
    chunks = np.split(np.arange(1 << 21), 64)
    assert sum(int(valid(chunk).sum()) for chunk in chunks) == len(valid_codes()) == 1_538_083


def test_codes_ascend():
    assert (np.diff(valid_codes()) > 0).all()


def test_everything_allowed_is_every_valid_matrix():
    assert np.array_equal(codes_within(0, EVERYTHING), valid_codes())


def test_codes_with_required_and_forbidden_edges():
    """The first edge has to be there, the second must not."""
    codes = codes_within(1 << 20, EVERYTHING - (1 << 19))
    assert np.array_equal(codes, [code for code in valid_codes().tolist() if code >> 19 == 2])


def test_no_matrix_without_a_way_into_the_output():
    assert not len(codes_within(0, EVERYTHING - 63))
