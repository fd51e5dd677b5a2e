"""Every number of a supernet's training, as parquet."""

from __future__ import annotations

from typing import Any

from lnas.pipeline.parquet import columns_parquet
from lnas.pipeline.supernet.outcome import Course, Outcome
from lnas.spaces import SearchSpace
from lnas.training.callbacks import RankingCallback


def parquet_files(outcome: Outcome) -> dict[str, bytes]:
    """Return, by name, what was recorded along the way, a row for each time, and all scores of the ranking."""
    files = {name: _records(records) for name, records in {"epochs": outcome.epochs, **outcome.courses}.items()}
    if outcome.companions.ranking is not None:
        files["scores"] = _scores(outcome.companions.ranking, outcome.space)
    return files


def _records(records: Course) -> bytes:
    """Lay out a column for each of their names; what a record lacks is null."""
    names = dict.fromkeys(name for record in records for name in record)
    return columns_parquet({name: [record.get(name) for record in records] for name in names})


def _scores(ranked: RankingCallback, space: SearchSpace) -> bytes:
    """Lay out a row for each architecture and time: epoch, the architecture, what is true of it, and all scores."""
    columns: dict[str, list[Any]] = {name: [] for name in ("epoch", "arch", "notation", "truth")}
    notations = [space.format(arch) for arch in ranked.archs]
    names = dict.fromkeys(name for scores in ranked.scores for name in scores)
    for record, scores in zip(ranked.records, ranked.scores, strict=True):
        columns["epoch"] += [int(record["epoch"])] * len(ranked.archs)
        columns["arch"] += map(str, ranked.archs)
        columns["notation"] += notations
        columns["truth"] += ranked.truth
        for name in names:
            columns.setdefault(name, []).extend(scores.get(name, [None] * len(ranked.archs)))
    return columns_parquet(columns)
