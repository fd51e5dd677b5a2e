"""One measure in both results: how far its numbers and rankings are apart, and which of them is nearer the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lnas.pipeline.comparing.measured import Measured
from lnas.pipeline.scores_study.correlations import correlated
from lnas.pipeline.scores_study.undefined import why_undefined
from lnas.report.table import WithInterval
from lnas.stats.standings import Standings
from lnas.types import Arch

_SINGLE = 1


class Pairing(NamedTuple):
    """A measure of A and the one of B that it is compared with.

    Attributes:
        name: For people.
        a: Its name in A.
        b: Its name in B.
        higher_is_better: Of the one in A, and of the one in B.
    """

    name: str
    a: str
    b: str
    higher_is_better: tuple[bool, bool]

    @property
    def is_same(self) -> bool:
        """Whether its numbers, and not only its rankings, can be compared."""
        return self.a == self.b


@dataclass(frozen=True)
class Common:
    """A measure on the architectures that both results have.

    Attributes:
        pairing: Which measure.
        archs: The n.
        a: What A says, shape (n,); NaN where there is no number.
        b: What B says.
        statuses: Status in A and in B of each architecture.
        truth: Accuracy in percent, shape (n,); NaN where it is not known, everywhere where none was asked for.
    """

    pairing: Pairing
    archs: Sequence[Arch]
    a: np.ndarray
    b: np.ndarray
    statuses: Sequence[tuple[str, str]]
    truth: np.ndarray

    @property
    def in_both(self) -> np.ndarray:
        """Where both have a number, shape (n,)."""
        return np.isfinite(self.a) & np.isfinite(self.b)

    @property
    def merits(self) -> tuple[np.ndarray, np.ndarray]:
        """Both, the higher the better."""
        signs = (1 if higher else -1 for higher in self.pairing.higher_is_better)
        return next(signs) * self.a, next(signs) * self.b

    @property
    def equal(self) -> np.ndarray:
        """Where both have the same number, bit for bit, shape (n,)."""
        bits = (np.ascontiguousarray(own).view(np.int64) for own in (self.a, self.b))
        return self.in_both & (next(bits) == next(bits))

    @property
    def are_same(self) -> bool:
        """Whether all numbers and statuses are the same."""
        return bool((self.equal | ~self.in_both).all()) and not self.changes

    @property
    def changes(self) -> Counter[tuple[str, str]]:
        """How often which status became which other."""
        return Counter(pair for pair in self.statuses if pair[0] != pair[1])

    def ranks(self) -> tuple[np.ndarray, np.ndarray]:
        """Rank, among those with a number in both, by A and by B: 1 is the best, ties by average."""
        one, other = (Standings.of(own[self.in_both]).average_ranks() for own in self.merits)
        return one, other


class Agreement(NamedTuple):
    """How alike A and B rank; None where that is not defined.

    Attributes:
        kendall: Tau-b with its 95 % interval.
        spearman: Rho with its interval.
        undefined: Why there is none.
    """

    kendall: WithInterval | None
    spearman: WithInterval | None
    undefined: str


class Worth(NamedTuple):
    """How well A and B rank by the truth.

    Attributes:
        n: Over how many architectures.
        a: Tau-b of A with its 95 % interval.
        b: That of B.
        ahead: By how much B's is higher, on the same resamples; None where one of the two is not defined.
        undefined: Why one is not defined.
    """

    n: int
    a: WithInterval | None
    b: WithInterval | None
    ahead: WithInterval | None
    undefined: str


def common(pairing: Pairing, a: Measured, b: Measured, truth: Mapping[Arch, float]) -> Common:
    """Bring together what both results say of a measure."""
    rows_a, rows_b = ({arch: row for row, arch in enumerate(each.archs)} for each in (a, b))
    archs = [arch for arch in a.archs if arch in rows_b]
    one = a.values[pairing.a][[rows_a[arch] for arch in archs]]
    other = b.values[pairing.b][[rows_b[arch] for arch in archs]]
    statuses = [
        (a.status(pairing.a, arch, x), b.status(pairing.b, arch, y))
        for arch, x, y in zip(archs, one, other, strict=True)
    ]
    return Common(pairing, archs, one, other, statuses, np.array([truth.get(arch, np.nan) for arch in archs]))


def agreement(own: Common, resamples: int) -> Agreement:
    """Correlate the numbers of A with those of B, where both have one."""
    a, b = (each[own.in_both] for each in own.merits)
    reason = why_undefined(a, b) or why_undefined(b, a)
    if reason:
        return Agreement(None, None, reason)
    kendall, spearman = (correlated(a, b, which, resamples).with_interval() for which in ("kendall_tau", "spearman_r"))
    return Agreement(kendall, spearman, "")


def worth(own: Common, resamples: int) -> Worth | None:
    """Compare how well both rank by the truth; None where it is known of fewer than two.

    An architecture without a number ranks last, with all others that lack one, as in `lnas study`.
    """
    known = np.isfinite(own.truth)
    if known.sum() <= _SINGLE:
        return None
    truth = own.truth[known]
    a, b = (each[known] for each in own.merits)
    reasons = {label: why_undefined(each, truth) for label, each in (("A", a), ("B", b))}
    taus = {
        label: None if reasons[label] else correlated(each, truth, "kendall_tau", resamples)
        for label, each in (("A", a), ("B", b))
    }
    one, other = taus["A"], taus["B"]
    return Worth(
        len(truth),
        one and one.with_interval(),
        other and other.with_interval(),
        other.less(one).with_interval() if one and other else None,
        "; ".join(f"{label}: {reason}" for label, reason in reasons.items() if reason),
    )
