from __future__ import annotations

import re

import numpy as np
import pytest

from lnas.benchmarks import Scores
from lnas.errors import UsageError
from lnas.nets import NetBuilder
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.sizes import sizes_of
from lnas.types import Arch

ARCHS = [Arch("nats_topology", (0, 0, 0, 3, 0, gene)) for gene in (0, 2, 3)]
NET = NetBuilder(channels=4, cells=1)
QUIET = Display(quiet=True)


def test_a_column_of_any_file_is_size() -> None:
    loaded = {
        "a": Scores(tuple(ARCHS), {"snip": np.ones(3)}),
        "b": Scores(tuple(ARCHS[::-1]), {"params": np.array([3.0, 2.0, 1.0])}),
    }
    assert sizes_of("params", ARCHS, loaded, NET, QUIET).tolist() == [1, 2, 3]


def test_parameters_are_counted_where_no_file_has_them() -> None:
    nothing, small, large = sizes_of("params", ARCHS, {}, NET, QUIET)
    # Each of three stages, of 4, 8 and 16 channels, has one more convolution with its batch norm.
    widths = np.array([4, 8, 16])
    assert small - nothing == (widths**2 + 2 * widths).sum()
    assert large - nothing == (9 * widths**2 + 2 * widths).sum()


def test_an_unknown_column_and_one_with_holes_are_told() -> None:
    with pytest.raises(UsageError, match=re.escape("sizes='flops': expected a column of one of the files")):
        sizes_of("flops", ARCHS, {}, NET, QUIET)
    holes = {"a": Scores(tuple(ARCHS), {"flops": np.array([1.0, np.nan, np.inf])})}
    with pytest.raises(UsageError, match=re.escape("scores.a, column 'flops': expected a size of each architecture")):
        sizes_of("flops", ARCHS, holes, NET, QUIET)
