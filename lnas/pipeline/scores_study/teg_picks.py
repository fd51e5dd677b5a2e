"""What one estimator picks and no other does: which operations, and how deep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lnas.analysis.cell_features import cell_features
from lnas.analysis.choice_shares import choice_shares
from lnas.analysis.exclusive_picks import ExclusivePicks, GroupMean, exclusive_picks, features_of_picks
from lnas.errors import UsageError
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.report.heatmap import Heatmap
from lnas.report.table import Column, ResultTable, WithInterval

CONVOLUTIONS = "all convolutions"


class Picks(NamedTuple):
    """The exclusive picks of some estimators, and what they are like.

    Attributes:
        found: Which architectures they are.
        shares: Estimator -> operation, or all convolutions -> its share of the decisions.
        depths: Estimator -> kind of depth -> connections or convolutions; empty where a space's cells have none.
    """

    found: ExclusivePicks
    shares: Mapping[str, Mapping[str, GroupMean]]
    depths: Mapping[str, Mapping[str, GroupMean]]


def find_picks(evidence: Evidence, names: Sequence[str], k: float) -> Picks:
    """Find what is among the top K of one estimator only.

    Args:
        evidence: What is compared.
        names: Which estimators, two or more.
        k: A count or a ratio, as `exclusive_picks` takes it.

    Raises:
        UsageError: As `exclusive_picks` raises.
    """
    found = exclusive_picks({name: evidence.values[name] for name in names}, evidence.directions, k)
    shares = choice_shares(evidence.archs, evidence.space)
    convolutions = [share for name, share in shares.items() if "conv" in name]
    if convolutions:
        shares[CONVOLUTIONS] = np.sum(convolutions, axis=0)
    return Picks(found, features_of_picks(shares, found), features_of_picks(_depths(evidence), found))


def picks_table(picks: Picks) -> ResultTable:
    """Say what each estimator alone picks, against all architectures."""
    thresholds = picks.found.thresholds
    features = {name: {**picks.shares[name], **picks.depths[name]} for name in thresholds}
    rows = [(name, feature, mean) for name, own in features.items() for feature, mean in own.items()]
    return ResultTable(
        "picks",
        f"What only one of {', '.join(thresholds)} picks",
        [
            Column("estimator", "picked by this only", [name for name, *_ in rows]),
            Column("threshold", "threshold", [thresholds[name] for name, *_ in rows], "{:,.5g}"),
            Column("picked", "picked", [len(picks.found.picked[name]) for name, *_ in rows], "{:,}"),
            Column("only", "by this only", [len(picks.found.only[name]) for name, *_ in rows], "{:,}"),
            Column("feature", "feature", [feature for _, feature, _ in rows]),
            Column("mean", "mean", [mean.mean for *_, mean in rows], "{:.3f}"),
            Column("overall", "of all", [mean.overall for *_, mean in rows], "{:.3f}"),
            Column("difference", "difference", [_difference(mean) for *_, mean in rows], "{:+.3f}"),
        ],
        [
            "After Chen et al. 2021 (TEG-NAS), eq. 10-12 and Fig. 2: picked is what is at least as good as the "
            "threshold, and by this only what no other of these picks. "
            f"{len(picks.found.where):,} architectures have a number by all of them, {picks.found.missing:,} have not.",
            "Operations: their share of an architecture's decisions. Depth: connections on the longest path; "
            "convolutional depth: the most convolutions on one. Difference: 95 % interval by Welch.",
        ],
    )


def picks_maps(picks: Picks) -> list[Heatmap]:
    """Show how the operations and the depth of the exclusive picks differ from those of all architectures."""
    shares = _map("Operations picked by one only: share less that of all, in points", picks.shares, 100, "{:+.1f}")
    depths = _map("Depth of what is picked by one only: mean less that of all", picks.depths, 1, "{:+.2f}")
    return [found for found in (shares, depths) if found]


def _map(title: str, means: Mapping[str, Mapping[str, GroupMean]], scale: float, form: str) -> Heatmap | None:
    columns = list(next(iter(means.values())))
    values = scale * np.array([[mean.mean - mean.overall for mean in own.values()] for own in means.values()])
    if not np.isfinite(values).any():
        return None
    reach = float(np.nanmax(np.abs(values))) or 1.0
    return Heatmap(title, list(means), columns, values.tolist(), reach, form)


def _difference(mean: GroupMean) -> WithInterval:
    return WithInterval(mean.mean - mean.overall, mean.low, mean.high)


def _depths(evidence: Evidence) -> dict[str, np.ndarray]:
    try:
        features = cell_features(evidence.archs, evidence.space)
    except UsageError:  # what a space's cells are like may not be known
        return {}
    return {name: values for name, values in features.items() if name.endswith("depth")}
