from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from scipy.stats import kendalltau, rankdata

from lnas.analysis.isomorphism_bias import IsomorphismClasses, isomorphism_bias, isomorphism_classes
from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.testing.tiny import TinySpace
from lnas.types import Arch


def test_numbers_by_hand() -> None:
    # True ranks 6 5 4 3 2 1; estimated 1 2 3 - 4 5 without the fourth, then true ranks 5 4 3 - 2 1.
    classes = IsomorphismClasses(np.array([7, 7, 7, 7, 2, 3]), np.array([4, 4, 4, 4, 1, 1]))
    found = isomorphism_bias([60, 50, 40, None, 30, 20], [1, 2, 3, 4, 5, 6], classes)
    assert found.sizes.tolist() == [1, 4]
    assert found.classes.tolist() == [2, 1]
    assert found.archs.tolist() == [2, 3]
    np.testing.assert_allclose(found.mean, [(-2 - 4) / 2, (4 + 2 + 0) / 3])
    np.testing.assert_allclose(found.deviation, [np.sqrt(2), np.nan])
    assert found.tau == pytest.approx(kendalltau([1, 1, 4], [-2, -4, 2]).statistic)
    assert found.missing == 1


def test_a_class_counts_once_however_many_of_it_are_there() -> None:
    classes = IsomorphismClasses(np.array([0, 1, 1, 1]), np.array([3, 3, 3, 3]))
    found = isomorphism_bias([4, 3, 2, 1], [1, 2, 3, 4], classes)
    np.testing.assert_allclose(found.mean, [(3 + (1 - 1 - 3) / 3) / 2])
    assert np.isnan(found.tau)


class UnorderedSpace(TinySpace):
    """Architectures are twins if they have as many ones."""

    def canonical(self, arch: Arch) -> Arch:
        return Arch(self.name, tuple(sorted(arch.genes)))


def test_members_are_counted_in_the_space_not_among_those_given() -> None:
    space = UnorderedSpace()
    found = isomorphism_classes([space.parse(text) for text in ("111", "010", "100", "110")], space)
    assert found.sizes.tolist() == [1, 3, 3, 3]
    assert found.of_each[1] == found.of_each[2]
    assert len(set(found.of_each.tolist())) == 3


def test_without_twins_every_class_is_of_one() -> None:
    space = TinySpace()
    found = isomorphism_classes(list(space.archs()), space)
    assert set(found.sizes.tolist()) == {1}
    assert len(set(found.of_each.tolist())) == 8


def test_what_is_too_large_or_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="a space of at most 100,000"):
        isomorphism_classes([], DartsSpace())
    classes = IsomorphismClasses(np.arange(2), np.ones(2))
    with pytest.raises(UsageError, match="classes of 3 architectures"):
        isomorphism_bias([1, 2, 3], [1, 2, 3], classes)


@pytest.mark.data
def test_the_published_classes_and_their_means(data_root: Path) -> None:
    columns = ["arch_str", "iso_class", "params_M_c10", "c10_test200"]
    table = parquet.read_table(data_root / "nb201" / "nb201_accuracy.parquet", columns=columns)
    space = NatsTopologySpace()
    classes = isomorphism_classes([space.parse(text) for text in table["arch_str"].to_pylist()], space)
    published = table["iso_class"].to_pylist()
    members = Counter(published)
    assert len(members) == len(set(classes.of_each.tolist())) == 6466
    assert classes.sizes.tolist() == [members[number] for number in published]

    params, truth = table["params_M_c10"].to_numpy(), table["c10_test200"].to_numpy()
    found = isomorphism_bias(params, truth, classes)
    differences = rankdata(-truth) - rankdata(-params)
    assert found.classes.sum() == 6466
    assert (found.classes * found.sizes == found.archs).all()
    of_four = [number for number, count in members.items() if count == 4]
    place = found.sizes.tolist().index(4)
    assert found.classes[place] == len(of_four)
    assert found.mean[place] == pytest.approx(differences[np.isin(published, of_four)].mean())
