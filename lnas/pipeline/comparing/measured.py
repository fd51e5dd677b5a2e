"""The numbers of one of the two results: measures of architectures, and why some are lacking."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lnas.benchmarks import Scores, load_scores
from lnas.benchmarks.parquet import read_columns
from lnas.errors import UsageError, complaint
from lnas.pipeline.comparing.source import Source, listed
from lnas.pipeline.comparing.stored import StoredProtocol
from lnas.pipeline.scores_study.supernet_files import load_supernet
from lnas.store import Store
from lnas.types import Arch, Estimate

OK, MISSING = "ok", "missing"
_OF_SEARCHES = ("strategy", "judge", "seed", "evaluation", "candidate", "seconds")
_FULL_TRAININGS = ("RetrainingProtocol", "FineTuningProtocol")


@dataclass(frozen=True)
class Measured:
    """What was measured of some architectures.

    Attributes:
        origin: What these numbers are, for people.
        archs: One per row.
        values: Measure -> shape (rows,), NaN where there is no number.
        problems: Measure -> architecture -> its status where that is not "ok" and is known.
    """

    origin: str
    archs: tuple[Arch, ...] = ()
    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    problems: Mapping[str, Mapping[Arch, str]] = field(default_factory=dict)

    def status(self, measure: str, arch: Arch, value: float) -> str:
        """Tell how a measurement ended; "missing" where there is neither a number nor a reason."""
        return OK if np.isfinite(value) else self.problems.get(measure, {}).get(arch, MISSING)


def measured_of(call: str, source: Source) -> Measured:
    """Read the numbers of a result; of a supernet those of its last epoch, of searches those of their first seed.

    Args:
        call: Whom errors blame.
        source: The result.

    Raises:
        UsageError: If a file is damaged, or several protocols of a store give the same measure.
    """
    if source.scores is not None:
        return _of_file(call, source.scores)
    if source.trials is not None:
        return _of_trials(source.trials)
    return _of_store(call, source)


def _of_file(call: str, path: Path) -> Measured:
    supernet = load_supernet(path)
    if supernet is not None:
        scores = supernet.at(None, call)
        return Measured(f"{path}, epoch {supernet.epochs[-1]}", scores.archs, scores.columns)
    scores = load_scores(path)
    return Measured(str(path), scores.archs, scores.columns, _problems(scores))


def _problems(scores: Scores) -> dict[str, dict[Arch, str]]:
    """Take apart what `lnas score` writes: "snip failed, ntk_cond nonfinite"."""
    found: dict[str, dict[Arch, str]] = {}
    for arch, text in zip(scores.archs, scores.problems or [""] * len(scores), strict=True):
        for problem in filter(None, text.split(", ")):
            name, _, status = problem.rpartition(" ")
            found.setdefault(name, {})[arch] = status
    return found


def _of_trials(path: Path) -> Measured:
    """Read what the searches of the first seed measured, each architecture as it was measured first."""
    columns = read_columns(path)
    first = min(columns["seed"].tolist(), default=0)
    rows: dict[Arch, int] = {}
    for row, (seed, text) in enumerate(zip(columns["seed"].tolist(), columns["candidate"].tolist(), strict=True)):
        if seed == first and "," not in text.rpartition(":")[2]:  # regions are no architectures
            rows.setdefault(Arch.from_text(text, str(path)), row)
    places = list(rows.values())
    values = {name: column[places].astype(float) for name, column in columns.items() if name not in _OF_SEARCHES}
    return Measured(f"{path}, seed {first}", tuple(rows), values)


def _of_store(call: str, source: Source) -> Measured:
    """Read the estimates of a store; retrainings apart, which are no estimates."""
    protocols = {key: each for key, each in source.protocols.items() if not _is_full_training(each)}
    if source.store is None or not protocols:
        return Measured(source.given)
    wanted = _those_of_run(source, protocols)
    _require_each_once(call, source, wanted)
    by_arch: dict[Arch, dict[str, Estimate]] = {}
    with closing(Store(source.store)) as store:
        for protocol in wanted.values():
            for arch, estimates in store.all_estimates(protocol.described, _seed(source, protocol)).items():
                by_arch.setdefault(arch, {}).update(estimates)
    names = dict.fromkeys(name for protocol in wanted.values() for name in protocol.measures)
    return Measured(
        source.given,
        tuple(by_arch),
        {
            name: np.array([own[name].value if name in own else np.nan for own in by_arch.values()], dtype=float)
            for name in names
        },
        {
            name: {arch: own[name].status for arch, own in by_arch.items() if name in own and own[name].status != OK}
            for name in names
        },
    )


def _is_full_training(protocol: StoredProtocol) -> bool:
    return str(protocol.described.get("class", "")).endswith(_FULL_TRAININGS)


def _those_of_run(source: Source, protocols: Mapping[str, StoredProtocol]) -> Mapping[str, StoredProtocol]:
    """Leave out what the rungs of a race measured before the last, where the settings name the last."""
    named = source.record.settings.get("estimators", []) if source.record else []
    own = {key: each for key, each in protocols.items() if each.described in named}
    return own or protocols


def _require_each_once(call: str, source: Source, protocols: Mapping[str, StoredProtocol]) -> None:
    names = [name for protocol in protocols.values() for name in protocol.measures]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        expected = f"one protocol that gives {twice}"
        step = f"Choose one as PATH@KEY: {listed(dict(protocols))}."
        raise UsageError(complaint(f"{call}={source.given!r}", expected, names.count(twice), step))


def _seed(source: Source, protocol: StoredProtocol) -> int:
    """Return the seed of the run where its estimates have it, else the first that they have."""
    own = source.record.settings.get("seed") if source.record else None
    return own if own in protocol.seeds else protocol.seeds[0]
