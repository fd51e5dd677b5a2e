"""The report of a study of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lnas.analysis.operation_bias import by_target
from lnas.pipeline.scores_study.along_training import Trained
from lnas.pipeline.scores_study.bias_tables import complexity_table, isomorphism_table, size_table
from lnas.pipeline.scores_study.biases import Biases
from lnas.pipeline.scores_study.cells import TRUTH, cell_pictures, drawn_ends, ends_table, extreme_table, find_ends
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.figures import complexity_figures, precision_figures
from lnas.pipeline.scores_study.operation_tables import change_table, operation_table
from lnas.pipeline.scores_study.ranking_tables import (
    Found,
    agreement_table,
    correlation_table,
    criteria_table,
    difference_table,
    subset_table,
)
from lnas.pipeline.scores_study.repeat_figures import repeat_figures
from lnas.pipeline.scores_study.repeat_tables import repeat_tables
from lnas.pipeline.scores_study.repeats import Repeats
from lnas.pipeline.scores_study.teg_analyses import TegFindings
from lnas.pipeline.scores_study.training_figures import course_figures, training_figures
from lnas.pipeline.scores_study.training_tables import training_tables
from lnas.report.heatmap import Heatmap, draw_heatmap
from lnas.report.interactive import InteractiveReport, Scatter
from lnas.report.study import StudyReport
from lnas.report.table import ResultTable
from lnas.stats import RATIOS
from lnas.stats.standings import top_size

_SECTION, _COURSE = "Best and worst by {}", "Along training: {}"


@dataclass(frozen=True)
class Questions:
    """What is asked of the estimators.

    Attributes:
        top: Over how many of the most accurate architectures correlations are taken, too.
        at: The K of the criteria, ratios or counts.
        ends: The share of architectures at either end that is described.
        cells: How many at either end are drawn.
        resamples: Of each interval.
        baseline: The estimator that others are compared with; None is the best.
        size: What stands for complexity.
    """

    top: Sequence[int]
    at: Sequence[float]
    ends: float
    cells: int
    resamples: int
    baseline: str | None
    size: str


@dataclass(frozen=True)
class Findings:
    """What was found of the estimators.

    Attributes:
        correlations: Each with its interval.
        biases: What they over- and underestimate.
        trained: What becomes of each supernet along its training.
        repeats: How far those vary that were repeated.
        teg: What one of some estimators alone picks, and what replacing an operation does.
    """

    correlations: Found
    biases: Biases
    trained: Sequence[Trained]
    repeats: Repeats
    teg: TegFindings


def scores_report(
    title: str,
    replay: str,
    origins: Mapping[str, str],
    evidence: Evidence,
    order: Sequence[str],
    found: Findings,
    sizes: np.ndarray,
    asked: Questions,
) -> InteractiveReport:
    """Collect what the pages show; `order` has the estimators that rank something, the best first."""
    agreement = agreement_table(evidence, order)
    ends = find_ends(evidence, order, asked.cells)
    drawn = {_SECTION.format(name): pictures for name, pictures in drawn_ends(ends, evidence.space).items()}
    courses = {_COURSE.format(name): own for name, own in course_figures(found.trained, asked.size).items() if own}
    maps = [_agreement_map(agreement), *_operation_maps(found.biases), *found.teg.maps]
    study = StudyReport(
        title,
        _facts(evidence, found, asked),
        [
            *_ranking_tables(evidence, order, found.correlations, agreement, asked),
            *repeat_tables(found.repeats.found, evidence.key),
            *_bias_tables(evidence, order, found.biases, asked),
            *found.teg.tables,
            *training_tables(found.trained, evidence.key, asked.size, asked.resamples),
            extreme_table(ends),
        ],
        {
            **{heatmap.title: draw_heatmap(heatmap) for heatmap in maps},
            **complexity_figures(found.biases.complexity, asked.size),
            **precision_figures(evidence, order, RATIOS),
            **repeat_figures(found.repeats.found),
            **training_figures(found.trained),
        },
        replay,
        origins,
        courses | drawn,
    )
    scatter = Scatter(
        [str(arch) for arch in evidence.archs],
        [evidence.space.label(arch) for arch in evidence.archs],
        {key: truth.tolist() for key, truth in evidence.truths.items()},
        {name: evidence.values[name].tolist() for name in [*order, *evidence.undefined]},
        evidence.directions,
        sizes.tolist(),
        asked.size,
        cell_pictures(evidence.space),
    )
    every = [TRUTH, *scatter.estimates]
    about = {form.format(name): name for name in every for form in (_SECTION, _COURSE)}
    return InteractiveReport(study, scatter, {title: name for title, name in about.items() if title in study.sections})


def _ranking_tables(
    evidence: Evidence, order: Sequence[str], found: Found, agreement: ResultTable, asked: Questions
) -> list[ResultTable]:
    differences = difference_table(evidence, order, found, asked.baseline or order[0], asked.resamples)
    return [
        correlation_table(evidence, order, found, asked.resamples),
        *([differences] if differences else []),
        subset_table(evidence, order, found, asked.top, asked.size),
        criteria_table(evidence, order, asked.at),
        agreement,
    ]


def _bias_tables(evidence: Evidence, order: Sequence[str], biases: Biases, asked: Questions) -> list[ResultTable]:
    tables = []
    if biases.groups is not None:
        tables.append(complexity_table(biases.complexity, biases.groups, asked.size))
    if biases.size:
        tables.append(size_table(biases.size, asked.size))
    if biases.operations:
        tables += [operation_table(biases.operations, biases.largest), change_table(biases.operations)]
    if biases.isomorphism:
        tables.append(isomorphism_table(biases.isomorphism))
    if biases.features and _has_ends(evidence, asked):
        tables.append(ends_table(evidence, order, biases.features, asked.ends))
    return tables


def _has_ends(evidence: Evidence, asked: Questions) -> bool:
    """Tell whether the share at either end holds an architecture."""
    return top_size(f"ends={asked.ends}", asked.ends, len(evidence.archs)) > 0


def _facts(evidence: Evidence, found: Findings, asked: Questions) -> Mapping[str, str]:
    truth = evidence.truth
    facts = {
        "Compared": f"{len(evidence.archs):,} architectures of {evidence.space.name}",
        "Estimators": ", ".join(evidence.values),
        "Accuracy": f"{evidence.key}, {truth.min():.2f} to {truth.max():.2f} %",
    }
    others = list(evidence.truths)[1:]
    if others:
        facts["Also"] = ", ".join(others)
    outside = [
        f"{count:,} {why}"
        for count, why in (
            (evidence.not_in_all, "are not in all files"),
            (evidence.not_known, "have no known accuracy"),
        )
        if count
    ]
    if outside:
        facts["Architectures left out"] = ", ".join(outside)
    if evidence.undefined:
        facts["Ranks nothing"] = "; ".join(f"{name}: {reason}" for name, reason in evidence.undefined.items())
    if found.trained:
        facts["Followed along training"] = ", ".join(_said(each) for each in found.trained)
    left_out = {**found.biases.left_out, **found.teg.left_out}
    left_out |= {f"repeats of {name}": reason for name, reason in found.repeats.left_out.items()}
    for each in found.trained:
        left_out |= {f"{kind} along {each.followed.label}": reason for kind, reason in each.left_out.items()}
    if not _has_ends(evidence, asked):
        left_out["the ends"] = f"{100 * asked.ends:g} % of the architectures are less than one"
    if left_out:
        facts["Not studied"] = "; ".join(f"{kind} ({reason})" for kind, reason in left_out.items())
    return facts


def _said(trained: Trained) -> str:
    followed = trained.followed
    epochs = ", ".join(map(str, followed.epochs))
    return f"{followed.label} (epochs {epochs}; {len(followed.archs):,} architectures of its own)"


def _agreement_map(agreement: ResultTable) -> Heatmap:
    rankings = agreement.columns[1:]
    names = [column.name for column in rankings]
    values = np.array([column.cells for column in rankings], dtype=float).tolist()
    return Heatmap(agreement.title, names, names, values, reach=1.0)


def _operation_maps(biases: Biases) -> list[Heatmap]:
    """Show the excess of every operation by every estimator, in points."""
    if not biases.operations:
        return []
    totals = {name: by_target(bias) for name, bias in biases.operations.items()}
    changes = next(iter(totals.values())).changes
    several = len({change.decision for change in changes}) > 1
    columns = [f"{change.decision}: {change.target}" if several else change.target for change in changes]
    title = "Bias by operation: rises of the estimate less those of accuracy, in points"
    values = 100 * np.array([bias.excess for bias in totals.values()])
    reach = float(np.nanmax(np.abs(values), initial=1.0))
    return [Heatmap(title, list(totals), columns, values.tolist(), reach)]
