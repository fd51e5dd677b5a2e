from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.share_beaten import share_beaten


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0, np.nan, np.inf]), min_size=1, max_size=12))
def test_it_is_what_counting_gives(merits: list[float]) -> None:
    known = [merit for merit in merits if np.isfinite(merit)]
    for merit, share in zip(merits, share_beaten(merits), strict=True):
        if not np.isfinite(merit) or len(known) == 1:
            assert np.isnan(share)
        else:
            beaten = sum(other < merit for other in known) + (known.count(merit) - 1) / 2
            np.testing.assert_allclose(share, 100 * beaten / (len(known) - 1))
