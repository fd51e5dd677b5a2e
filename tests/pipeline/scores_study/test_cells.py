from __future__ import annotations

import re

from lnas.pipeline.scores_study.cells import cell_pictures
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.spaces.nats_topology import OPS


def test_cells_of_one_operation_have_one_layout_so_that_edges_can_be_exchanged() -> None:
    pictures = cell_pictures(NatsTopologySpace())
    assert pictures is not None
    without, *whole = pictures.uniform
    shapes = {re.sub("|".join(OPS), "op", re.sub(r"#[0-9a-f]{6}", "", picture)) for picture in whole}
    assert len(shapes) == 1
    assert [picture.count("<g>") for picture in whole] == [len(pictures.edges)] * len(whole)
    assert "<g" not in without


def test_cells_of_other_spaces_are_not_put_together() -> None:
    assert cell_pictures(DartsSpace()) is None
