"""Angles against exact arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from lnas.training.callbacks import angle_between
from lnas.training.callbacks.rotation import rotation

vectors = st.integers(0, 10**6).map(
    lambda seed: torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
)
laws = settings(deadline=None, max_examples=25)


def exact_small_angle(u: Tensor, v: Tensor) -> float:
    """asin(|u x v| / |u| |v|) in 60 digits, with |u x v| by Lagrange's identity; for angles below 1e-3."""
    getcontext().prec = 60
    a, b = ([Decimal(number) for number in vector.double().tolist()] for vector in (u, v))
    pairs = [(i, j) for i in range(len(a)) for j in range(i)]
    cross = sum((a[i] * b[j] - a[j] * b[i]) ** 2 for i, j in pairs)
    sine = (cross / (sum(x * x for x in a) * sum(x * x for x in b))).sqrt()
    return float(sine + sine**3 / 6 + 3 * sine**5 / 40)


@pytest.mark.parametrize("degrees", [0, 1e-5, 1e-3, 45, 90, 135, 179.99999, 180])
def test_an_angle_in_the_plane(degrees: float) -> None:
    radians = math.radians(degrees)
    u = torch.tensor([3.0, 0.0], dtype=torch.float64)
    v = 7 * torch.tensor([math.cos(radians), math.sin(radians)], dtype=torch.float64)
    assert angle_between(u, v) == pytest.approx(radians, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("bad", [[0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0], [1.0, -math.inf], [math.inf, math.inf]])
def test_a_zero_or_broken_vector_has_no_angle(bad: list[float]) -> None:
    assert math.isnan(angle_between(torch.tensor(bad), torch.tensor([1.0, 0.0])))
    assert math.isnan(angle_between(torch.tensor([1.0, 0.0]), torch.tensor(bad)))


@laws
@given(
    vectors,
    st.floats(-9, -3.5),
    st.sampled_from([torch.float32, torch.float64]),
    st.floats(0.01, 100),
)
def test_small_angles_are_exact_to_twelve_digits(pair: Tensor, exponent: float, dtype: torch.dtype, s: float) -> None:
    u = pair[0].to(dtype)
    v = ((pair[0] + 10**exponent * pair[1]) * s).to(dtype)
    truth = exact_small_angle(u, v)
    assume(truth > 1e-9)
    assert angle_between(u, v) == pytest.approx(truth, rel=1e-12, abs=0)


@laws
@given(vectors, st.integers(-60, 60), st.floats(0.01, 100))
def test_lengths_do_not_matter(pair: Tensor, exponent: int, scale: float) -> None:
    u, v = pair
    assert angle_between(u * 2.0**exponent, v) == angle_between(u, v)
    assert angle_between(u, v * scale) == pytest.approx(angle_between(u, v), rel=1e-12)


@laws
@given(vectors)
def test_angles_are_symmetric_and_supplementary_and_in_range(pair: Tensor) -> None:
    u, v = pair
    angle = angle_between(u, v)
    assert 0 <= angle <= math.pi
    assert angle_between(v, u) == pytest.approx(angle, rel=1e-12)
    assert angle_between(u, -v) == pytest.approx(math.pi - angle, rel=1e-12)
    assert math.cos(angle) == pytest.approx(float(torch.cosine_similarity(u, v, dim=0)), abs=1e-12)
    assert angle_between(u, u) == 0 == angle_between(u, 4 * u)
    assert angle_between(u, -u) == math.pi


@laws
@given(vectors, st.integers(1, 6))
def test_parts_are_one_vector(pair: Tensor, cut: int) -> None:
    u, v = pair
    parts = [[vector[:cut], vector[cut:].reshape(1, -1, 1)] for vector in (u, v)]
    assert float(rotation(*parts)) == pytest.approx(angle_between(u, v), rel=1e-13)


def test_layouts_do_not_matter() -> None:
    u, v = torch.randn(2, 3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    assert angle_between(u, v.contiguous(memory_format=torch.channels_last)) == pytest.approx(
        angle_between(u.flatten(), v.flatten()), rel=1e-13
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights_are_measured_in_full(dtype: torch.dtype) -> None:
    u = torch.tensor([1.0, 0.0], dtype=dtype)
    v = torch.tensor([1.0, 2.0**-10], dtype=dtype)
    assert angle_between(u, v) == pytest.approx(math.atan(2.0**-10), rel=1e-12, abs=0)
