from __future__ import annotations

from typing import Any

import pytest

from lnas.data.augmentation import PLAIN, Augmentation
from lnas.errors import UsageError


def test_what_changes_what_is_told() -> None:
    assert PLAIN.plain
    assert not PLAIN.mixes
    assert not PLAIN.by_image
    assert Augmentation(cutmix=1.0).mixes
    assert all(
        each.by_image for each in (Augmentation(auto="rand"), Augmentation(scale=(0.1, 1)), Augmentation(jitter=1))
    )
    assert not Augmentation(cutout=16, erasing=0.5).by_image


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cutout": -1}, "expected cutout >= 0 pixels, got -1"),
        ({"erasing": 1.5}, "expected 0 <= erasing <= 1, got 1.5"),
        ({"mixup": -0.1}, "expected mixup >= 0"),
        ({"cutmix": -0.1}, "expected cutmix >= 0"),
        ({"jitter": 2.0}, "expected 0 <= jitter <= 1"),
        ({"scale": (0.5, 0.2)}, r"expected 0 < from <= to <= 1, got \(0.5, 0.2\)"),
        ({"auto": "rand-n2"}, "'rand-m9-n2' or one of trivial, .*, got 'rand-n2'"),
        ({"auto": "trivail"}, "got 'trivail'"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Augmentation(**options)
