"""The analyses of TEG-NAS: what one estimator alone picks, and what replacing an operation does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lnas.errors import UsageError, unknown_name
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.teg_picks import Picks, find_picks, picks_maps, picks_table
from lnas.pipeline.scores_study.teg_replacement import (
    Replacement,
    find_replacements,
    replacement_map,
    replacement_table,
)
from lnas.report.heatmap import Heatmap
from lnas.report.table import ResultTable
from lnas.stats.standings import top_size

_PAPERS = ("ntk_cond", "linear_regions", "ntk_mse")
_FEWEST = 2


@dataclass(frozen=True)
class TegFindings:
    """What was found.

    Attributes:
        picks: What one of some estimators alone picks; None where it was not asked or cannot be told.
        replacements: The accuracy, and each estimator -> what replacing an operation does to it; may be empty.
        replaced: That operation.
        left_out: Kind -> why it cannot be found.
    """

    picks: Picks | None
    replacements: Mapping[str, Replacement]
    replaced: str
    left_out: Mapping[str, str]

    @property
    def tables(self) -> list[ResultTable]:
        """For the report."""
        tables = [picks_table(self.picks)] if self.picks else []
        if self.replacements:
            tables.append(replacement_table(dict(self.replacements), self.replaced))
        return tables

    @property
    def maps(self) -> list[Heatmap]:
        """For the report."""
        maps = picks_maps(self.picks) if self.picks else []
        return [*maps, replacement_map(dict(self.replacements), self.replaced)] if self.replacements else maps


def check_picks(picks: Sequence[str], pick: float, evidence: Evidence) -> None:
    """Raise `UsageError` where one of the estimators is none, or ranks nothing, or they cannot pick so much."""
    for name in picks:
        if name not in evidence.ranking:
            raise UsageError(f"picks={list(picks)}: {unknown_name('estimator', name, evidence.ranking)}")
    top_size(f"pick={pick}", pick, len(evidence.archs))


def find_teg(evidence: Evidence, order: Sequence[str], picks: Sequence[str], pick: float, replaced: str) -> TegFindings:
    """Find what the estimators and architectures allow.

    Args:
        evidence: What is compared.
        order: The estimators that rank something.
        picks: Of which the exclusive picks are compared; none are the three of TEG-NAS, as far as there are two.
        pick: How much each of them picks, a count or a ratio.
        replaced: The operation that is replaced.
    """
    left_out: dict[str, str] = {}
    names = list(picks) or [name for name in _PAPERS if name in order]
    found, replacements = None, {}
    if picks or len(names) >= _FEWEST:
        try:
            found = find_picks(evidence, names, pick)
        except UsageError as error:
            left_out["exclusive picks"] = str(error)
    try:
        replacements = find_replacements(evidence, order, replaced)
    except UsageError as error:
        left_out[f"replacing {replaced}"] = str(error)
    return TegFindings(found, replacements, replaced, left_out)
