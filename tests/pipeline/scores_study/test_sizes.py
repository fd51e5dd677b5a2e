from __future__ import annotations

import re

import numpy as np
import pytest
from torch import nn

from lnas.benchmarks import Scores
from lnas.errors import UsageError
from lnas.execution import Serial
from lnas.nets import NetBuilder
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.sizes import Sizes
from lnas.types import Arch

ARCHS = [Arch("nats_topology", (0, 0, 0, 3, 0, gene)) for gene in (0, 2, 3)]
NET = NetBuilder(channels=4, cells=1)
QUIET = Display(quiet=True)


def test_a_column_of_any_file_is_size() -> None:
    loaded = {
        "a": Scores(tuple(ARCHS), {"snip": np.ones(3)}),
        "b": Scores(tuple(ARCHS[::-1]), {"params": np.array([3.0, 2.0, 1.0])}),
    }
    assert Sizes("params", loaded, NET, Serial(), QUIET).of(ARCHS).tolist() == [1, 2, 3]


def test_parameters_are_counted_where_no_file_has_them() -> None:
    nothing, small, large = Sizes("params", {}, NET, Serial(), QUIET).of(ARCHS)
    # Each of three stages, of 4, 8 and 16 channels, has one more convolution with its batch norm.
    widths = np.array([4, 8, 16])
    assert small - nothing == (widths**2 + 2 * widths).sum()
    assert large - nothing == (9 * widths**2 + 2 * widths).sum()


def test_an_unknown_column_and_one_with_holes_are_told() -> None:
    with pytest.raises(UsageError, match=re.escape("sizes='flops': expected a column of one of the files")):
        Sizes("flops", {}, NET, Serial(), QUIET).of(ARCHS)
    holes = {"a": Scores(tuple(ARCHS), {"flops": np.array([1.0, np.nan, np.inf])})}
    with pytest.raises(UsageError, match=re.escape("scores.a, column 'flops': expected a size of each architecture")):
        Sizes("flops", holes, NET, Serial(), QUIET).of(ARCHS)


def test_what_no_file_has_in_full_is_counted_and_none_twice() -> None:
    some = {"a": Scores(tuple(ARCHS[:2]), {"params": np.array([5.0, 6.0])})}
    counted = []

    def net(arch: Arch, classes: int) -> nn.Module:
        counted.append(arch)
        return NET(arch, classes)

    sizes = Sizes("params", some, net, Serial(), QUIET)
    assert sizes.of(ARCHS[:2]).tolist() == [5, 6]
    assert sizes.of(ARCHS).tolist() == sizes.of(ARCHS[::-1]).tolist()[::-1]
    assert counted == ARCHS
