"""Bias by isomorphism: whether architectures of many names are overestimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.rank_differences import rank_differences
from lnas.errors import UsageError, complaint
from lnas.spaces import SearchSpace
from lnas.stats import kendall_tau
from lnas.types import Arch

_MOST_LISTED = 100_000


class IsomorphismClasses(NamedTuple):
    """The class of each of n architectures.

    Attributes:
        of_each: Its number, equal for twins, shape (n,).
        sizes: How many members it has in the whole space, whether they are among the n or not, shape (n,).
    """

    of_each: np.ndarray
    sizes: np.ndarray


class IsomorphismBias(NamedTuple):
    """Over- and underestimation by s sizes of classes.

    Attributes:
        sizes: Members of a class in the space, ascending, shape (s,).
        classes: Classes of each size that have an estimate, shape (s,).
        archs: Architectures in them with an estimate, shape (s,).
        mean: Mean over these classes of the rank difference, positive where overestimated, shape (s,).
        deviation: Standard deviation over them, n - 1 in the divisor, shape (s,); NaN for one class.
        tau: Kendall's tau-b of size and mean rank difference over all classes; NaN where all have the same.
        missing: Architectures without a finite estimate, which are left out.
    """

    sizes: np.ndarray
    classes: np.ndarray
    archs: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    tau: float
    missing: int


def isomorphism_classes(archs: Sequence[Arch], space: SearchSpace) -> IsomorphismClasses:
    """Find the isomorphism class of each architecture, and count its members by walking the space.

    Raises:
        UsageError: If the space has more than 100,000 architectures, or one that is given is not of it.

    Example:
        >>> from lnas.spaces import NatsTopologySpace
        >>> space = NatsTopologySpace()
        >>> lone_convolution = space.parse("|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|")
        >>> isomorphism_classes([lone_convolution], space).sizes.tolist()
        [275]
    """
    if space.size > _MOST_LISTED:
        call, expected = f"isomorphism_classes(archs, {space.name!r})", f"a space of at most {_MOST_LISTED:,}"
        raise UsageError(complaint(call, expected, f"{space.size:,} architectures", "It is too large to walk."))
    asked = [space.canonical(arch) for arch in archs]
    counts = Counter(map(space.canonical, space.archs()))
    numbers = {twin: number for number, twin in enumerate(counts)}
    return IsomorphismClasses(
        np.array([numbers[twin] for twin in asked], dtype=int), np.array([counts[twin] for twin in asked], dtype=int)
    )


def isomorphism_bias(estimates: ArrayLike, truth: ArrayLike, classes: IsomorphismClasses) -> IsomorphismBias:
    """Average rank differences by the size of the isomorphism class.

    Ranks are among all architectures with a finite estimate, ties by average. Twins are first averaged to one number a
    class, as they do not vary independently. Classes of many members are not like others in size and accuracy either:
    what is always there, such as regression to the mean, shows for every estimator, so compare estimators.

    Args:
        estimates: Shape (n,), the higher the better.
        truth: Shape (n,), finite, the higher the better.
        classes: Of the same architectures.

    Raises:
        UsageError: If `rank_differences` does, or the classes are of another number of architectures.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 6.2: simple
    cells with many isomorphic counterparts are overestimated.

    Example:
        >>> classes = IsomorphismClasses(np.array([0, 0, 1, 2]), np.array([2, 2, 1, 1]))
        >>> found = isomorphism_bias([4, 3, 2, 1], [70, 60, 90, 80], classes)
        >>> found.sizes.tolist(), found.mean.tolist(), found.classes.tolist()
        ([1, 2], [-2.0, 2.0], [2, 1])
    """
    differences = rank_differences(estimates, truth)
    if not len(differences) == len(classes.of_each) == len(classes.sizes):
        call, expected = "isomorphism_bias(estimates, truth, classes)", f"classes of {len(differences)} architectures"
        got = (len(classes.of_each), len(classes.sizes))
        raise UsageError(complaint(call, expected, got, "Classify the same architectures."))
    known = ~np.isnan(differences)
    _, first, of_each, members = np.unique(
        classes.of_each[known], return_index=True, return_inverse=True, return_counts=True
    )
    of_class = np.bincount(of_each, weights=differences[known]) / members
    size_of_class = classes.sizes[known][first]
    sizes = np.unique(size_of_class)
    alike = [size_of_class == size for size in sizes]
    return IsomorphismBias(
        sizes,
        np.array([int(some.sum()) for some in alike]),
        np.array([int(members[some].sum()) for some in alike]),
        np.array([of_class[some].mean() for some in alike]),
        np.array([of_class[some].std(ddof=1) if some.sum() > 1 else np.nan for some in alike]),
        kendall_tau(size_of_class, of_class) if len(of_class) > 1 else np.nan,
        int((~known).sum()),
    )
