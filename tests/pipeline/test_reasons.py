from __future__ import annotations

import math
from typing import Any

import pytest

from lnas.pipeline.reasons import reason
from lnas.types import Estimate


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"reason": "dead", "got": "nan"}, "dead"),
        ({"got": "nan", "values": [[None]]}, "nan"),
        ({}, "no reason kept"),
    ],
)
def test_the_best_that_is_known_is_said(detail: dict[str, Any], said: str) -> None:
    assert reason(Estimate(math.nan, "nonfinite", detail=detail)) == f"nonfinite: {said}"
