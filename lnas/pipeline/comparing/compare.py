"""`lnas compare`: two results side by side: what differs, by how much, and whether it matters."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from lnas.errors import UsageError, complaint
from lnas.pipeline.comparing.answers import Truths
from lnas.pipeline.comparing.differences import find_differences
from lnas.pipeline.comparing.measure_tables import Compared
from lnas.pipeline.comparing.measured import Measured
from lnas.pipeline.comparing.measures import Pairing, agreement, common, worth
from lnas.pipeline.comparing.pairings import pair_up
from lnas.pipeline.comparing.picks import match_picks
from lnas.pipeline.comparing.result import Result, read_result
from lnas.pipeline.comparing.searches import rivals_of
from lnas.pipeline.comparing.story import Asked, Findings, compare_report
from lnas.pipeline.comparing.verdicts import verdict
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_at_least, check_output
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import held
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.spaces import SPACES, SearchSpace
from lnas.types import Arch

_PAGE = "compare.html"
_HIDDEN = ("moved", "answers")


def compare(
    a: str,
    b: str,
    truth: Truth | None = None,
    space: SearchSpace | None = None,
    measures: str | Sequence[str] = (),
    lower: str | Sequence[str] = (),
    at: Sequence[int | float] = (0.01, 0.05, 0.1),
    after: Sequence[int] = (),
    resamples: int = 1000,
    output: str = "results/compare",
    quiet: bool = False,
    config: str | None = None,
) -> StudyReport:
    """Compare two results: what differs in how they were made, by how much their numbers do, and whether it matters.

    A and B are output folders of `lnas score`, `run`, `search`, `supernet`, `retrain` or `study`, or files of scores
    with a column arch; PATH@KEY is one of several protocols in a store, by the first digits of its key. Compared are
    settings, protocols, configs and versions; the measures of one name, or the only ones of either, on the
    architectures that both have; what searches had found by when; what was picked and retrained. Nothing is measured.
    Writes OUTPUT/compare.html, each table as .parquet, .csv and .md, and figures as .svg.

    Args:
        a: Folder, store or file of scores.
        b: The other.
        truth: A benchmark's accuracies that tell which of the two is right.
        space: Where the architectures are from; needed for a space of your own.
        measures: Which are compared, joined by commas: NAME, or NAME=OTHER for NAME of A and OTHER of B; all that both
            have if not given.
        lower: Measures that lnas does not know and whose lower numbers are better, joined by commas.
        at: The K of the top K: ratios, or counts.
        after: After how many evaluations what searches had found is read; some if not given.
        resamples: Of each bootstrap interval.
        output: Folder for page, tables and figures.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the comparison.

    Returns:
        What the page shows.

    Raises:
        UsageError: If A or B is no result, they are of two spaces, or have nothing in common.
        RunError: If a store cannot be read, OUTPUT cannot be written, or another process works in it.
    """
    started = time.monotonic()
    display = Display(quiet)
    check_at_least(resamples=(resamples, 1), after=(min(after, default=1), 1))
    check_output(output)
    _check_tops(at)
    folder = Path(output)
    one, other = results = read_result("a", a), read_result("b", b)
    _require_another(folder, results)
    space = _space_of(results, space)
    if truth:
        truth.require(space)
    known = _known(truth, results, space)
    asked = Asked(truth.key if truth else "", known, at, after, resamples)
    found = Findings(
        *results,
        find_differences(one.source, other.source),
        _compared(pair_up(one.measured, other.measured, _names(measures), _names(lower)), results, asked, display),
        rivals_of(one.answers, other.answers),
        {truth.key: known} if truth else _recorded(one, other),
        match_picks(one.picks, other.picks),
    )
    _require_something(found)
    with held(folder, config):
        replay = (
            f"lnas compare --config {shlex.quote(str(folder / 'config.yaml'))}" if config else "compare from Python"
        )
        report = compare_report(f"lnas compare: {folder.name}", found, asked, space, replay)
        write_results(report, folder, _PAGE)
    for table in report.tables:
        if table.name not in _HIDDEN:
            display.show(shown(table))
    for name, fact in report.facts.items():
        display.say(f"{name}: {fact}")
    display.say(f"Page:   {folder / _PAGE}")
    display.say(f"Time:   {time.monotonic() - started:.1f} s")
    return report


def _check_tops(at: Sequence[int | float]) -> None:
    for k in at:
        if not (k >= 1 if isinstance(k, int) else 0 < k <= 1):
            expected, step = "counts of 1 or more, or ratios in (0, 1]", "1 is one, 1.0 is all of them."
            raise UsageError(complaint(f"at={list(at)}", expected, k, step))


def _names(given: str | Sequence[str]) -> list[str]:
    listed = given.split(",") if isinstance(given, str) else given
    return [name.strip() for name in listed if name.strip()]


def _compared(
    pairings: Sequence[Pairing], results: tuple[Result, Result], asked: Asked, display: Display
) -> list[Compared]:
    found = []
    with display.bar("measures", len(pairings)) as advance:
        for pairing in pairings:
            own = common(pairing, results[0].measured, results[1].measured, asked.truth)
            if own.archs:
                alike, ahead = agreement(own, asked.resamples), worth(own, asked.resamples)
                found.append(Compared(own, alike, ahead, verdict(own, alike, ahead)))
            advance()
    return found


def _require_another(folder: Path, results: Sequence[Result]) -> None:
    """Raise `UsageError` where the tables would lie among those that are compared."""
    if any(folder.resolve() == each.source.folder.resolve() and each.source.store for each in results):
        call, step = f"output={str(folder)!r}", "Name another with --output."
        raise UsageError(complaint(call, "another folder than A and B", str(folder), step))


def _space_of(results: Sequence[Result], given: SearchSpace | None) -> SearchSpace:
    """Return the space that all architectures are of.

    Raises:
        UsageError: If they are of two, or of one that must be given and is not, or of another than is given.
    """
    names = sorted({arch.space for each in results for arch in (*each.measured.archs, *each.come_to)})
    if len(names) != 1:
        got, step = " and ".join(names) or "no architecture", "Name results of the same space."
        raise UsageError(complaint("lnas compare", "architectures of one space", got, step))
    if given is not None and given.name != names[0]:
        raise UsageError(complaint("space", f"architectures of {given.name!r}", names[0], "Name their space."))
    if given is None and names[0] not in SPACES:
        step = "Example: --space my_package.MySpace."
        raise UsageError(complaint("space", "a space that lnas knows, or --space", names[0], step))
    return given or SPACES[names[0]]()


def _known(truth: Truth | None, results: tuple[Result, Result], space: SearchSpace) -> dict[Arch, float]:
    """Look up the architectures whose accuracy tells something: those of both results, and what either came to."""
    if truth is None:
        return {}
    a, b = results
    both = set(b.measured.archs)
    archs = [*dict.fromkeys([*(arch for arch in a.measured.archs if arch in both), *a.come_to, *b.come_to])]
    accuracies = truth.accuracies(archs, space)
    return {arch: value for arch, value in zip(archs, accuracies, strict=True) if value is not None}


def _recorded(a: Result, b: Result) -> Truths:
    """Return what the searches' own benchmarks say, by the labels that both have."""
    return {label: {**a.truths[label], **b.truths[label]} for label in a.truths if label in b.truths}


def _require_something(found: Findings) -> None:
    if not (found.compared or found.rivals or found.matched):
        got = "; ".join(f"{label}: {_held(each.measured)}" for label, each in (("A", found.a), ("B", found.b)))
        step = "Name results of the same architectures, or pair up measures with --measures NAME=OTHER."
        expected = "a measure of an architecture that both have, searches, or picks"
        raise UsageError(complaint("lnas compare", expected, f"nothing in common; {got}", step))


def _held(measured: Measured) -> str:
    return f"{', '.join(measured.values) or 'no measure'} of {len(measured.archs):,} architectures"
