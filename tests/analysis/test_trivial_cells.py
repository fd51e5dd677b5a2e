from __future__ import annotations

import numpy as np

from lnas.analysis.trivial_cells import are_trivial
from lnas.spaces import NatsTopologySpace
from lnas.testing.tiny import TinySpace


def test_a_cell_is_trivial_without_a_convolution_that_matters() -> None:
    space = NatsTopologySpace()
    cells = {
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|": True,
        "|skip_connect~0|+|none~0|none~1|+|avg_pool_3x3~0|skip_connect~1|none~2|": True,
        "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|": True,  # leads nowhere
        "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|": False,
    }
    assert are_trivial([space.parse(text) for text in cells], space).tolist() == list(cells.values())


def test_as_many_of_the_space_as_published_have_none() -> None:
    space = NatsTopologySpace()
    assert are_trivial(list(space.archs()), space).sum() == 15_625 - 13_642


def test_no_other_space_knows_such_cells() -> None:
    space = TinySpace()
    flags = are_trivial(list(space.archs()), space)
    assert flags.dtype == np.bool_
    assert not flags.any()
