from __future__ import annotations

import math
import re
from typing import Any

from lnas.pipeline.study.figures import collapse_figures
from lnas.testing.tiny import TinySpace


def test_places_are_those_of_each_rank_and_the_first_winner_is_followed(made_up: Any) -> None:
    base, pool = made_up([50, 60, 90], {"angle": False}, trivial=[0], angle=[0.1, 0.2, 0.3], params=[1, 2, 3])
    figures = collapse_figures(base, pool, ["angle", "params", "angle+params"], TinySpace(), "the truth")
    assert list(figures) == ["angle", "params", "angle+params"]
    shown = {rank: re.findall(r"<title>(\d\. .*?)</title>", picture) for rank, picture in figures.items()}
    assert shown["angle"] == ["2. 001, 60.00 %", "3. 010, 90.00 %", "1. 000, 50.00 %"]
    assert shown["params"] == ["1. 010, 90.00 %", "2. 001, 60.00 %", "3. 000, 50.00 %"]
    assert 'stroke-dasharray="4 3"' not in figures["angle"]
    for rank in ("params", "angle+params"):
        assert ">first by angle</text>" in figures[rank]


def test_who_lacks_a_number_has_no_place(made_up: Any) -> None:
    base, pool = made_up([50, 60, 90], {"angle": False}, angle=[math.nan, 0.2, 0.3], params=[1, 2, 3])
    (picture,) = collapse_figures(base, pool, ["angle"], TinySpace(), "the truth").values()
    assert re.findall(r"<title>(\d\. .*?),", picture) == ["1. 001", "2. 010"]
