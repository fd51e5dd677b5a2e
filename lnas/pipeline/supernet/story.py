"""The page of `lnas supernet`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from lnas.pipeline.supernet.curves import (
    CRITERIA,
    forgetting_figures,
    gradient_figures,
    ranking_figures,
    training_figures,
)
from lnas.pipeline.supernet.outcome import Outcome
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.report.table import Column, ResultTable, WithInterval
from lnas.stats import correlation_interval
from lnas.training.callbacks import RankingCallback

_SHARE = "{:.3f}"


def supernet_report(title: str, outcome: Outcome, replay: str) -> StudyReport:
    """Collect what the page shows."""
    courses, ranking, truth = outcome.courses, outcome.companions.ranking, outcome.truth
    tables, sections = [], {}
    if outcome.found is not None:
        sections["What it came to"] = {outcome.space.label(outcome.found): outcome.space.draw(outcome.found)}
    if ranking is not None and truth is not None and ranking.records:
        scores = list(ranking.scores[-1])
        tables += [final_table(ranking, truth), course_table(ranking, scores)]
        sections["Ranking along the way"] = ranking_figures(ranking.records, scores)
    sections["Training"] = training_figures(outcome.epochs)
    sections["Between paths"] = forgetting_figures(courses.get("forgetting", ())) | gradient_figures(
        courses.get("gradients", ())
    )
    settings = {"settings": json.dumps(outcome.settings, indent=1)}
    return StudyReport(title, _facts(outcome), tables, {}, replay, settings, sections)


def final_table(ranked: RankingCallback, truth: Truth) -> ResultTable:
    """Say how well each score ranks in the end."""
    last, scores = ranked.records[-1], ranked.scores[-1]
    columns = [
        Column("score", "score", list(scores)),
        Column("tau", CRITERIA["kendall_tau"], [_tau(name, own, ranked) for name, own in scores.items()], _SHARE),
    ]
    columns += [
        Column(criterion, name, [last.get(f"{score}/{criterion}") for score in scores], _SHARE)
        for criterion, name in CRITERIA.items()
        if criterion != "kendall_tau"
    ]
    columns.append(Column("mean", "mean", [last.get(f"{score}/mean") for score in scores], "{:.4f}"))
    notes = [
        f"Of {len(ranked.archs):,} architectures after epoch {last['epoch']:.0f}, against {truth.key}; "
        "losses rank by their negative. Tau with its 95 % interval, percentiles of 1,000 bootstrap resamples. "
        "P: share of the best (worst) by score that are among the best (worst) by truth; BR, WR: best and worst true "
        "place among the best by score, divided by their number.",
        f"Evaluating took {100 * last['share']:.1f} % of the time.",
    ]
    return ResultTable("final", "How well it ranks in the end", columns, notes)


def course_table(ranked: RankingCallback, scores: Sequence[str]) -> ResultTable:
    """Say how well each score ranked along the way."""
    rows = [(record, score) for score in scores for record in ranked.records if f"{score}/mean" in record]
    columns = [
        Column("score", "score", [score for _, score in rows]),
        Column("epoch", "epoch", [int(record["epoch"]) for record, _ in rows]),
    ]
    columns += [
        Column(criterion, name, [record.get(f"{score}/{criterion}") for record, score in rows], _SHARE)
        for criterion, name in CRITERIA.items()
    ]
    columns.append(Column("mean", "mean", [record[f"{score}/mean"] for record, score in rows], "{:.4f}"))
    return ResultTable("course", "How well it ranked along the way", columns)


def _tau(name: str, scores: Sequence[float], ranked: RankingCallback) -> WithInterval | None:
    value = ranked.records[-1].get(f"{name}/kendall_tau")
    if value is None:
        return None
    sign = -1 if name.endswith("_loss") else 1
    return WithInterval(value, *correlation_interval(sign * np.asarray(scores), ranked.truth))


def _facts(outcome: Outcome) -> dict[str, str]:
    last, settings, truth = outcome.epochs[-1], outcome.settings, outcome.truth
    seconds = sum(record["seconds"] for record in outcome.epochs)
    images = settings["batch_size"] * settings["accumulate"] * settings["hardware"]["devices"]
    facts = {
        "Space": f"{outcome.space.name}, {len(outcome.space.region.choices)} decisions",
        "Training": f"{settings['training']['class']}, {last['epoch']:,.0f} epochs, {last['step']:,.0f} steps of "
        f"{images} images",
        "Time": f"{seconds:,.0f} s, {seconds / last['step']:.3f} s a step, everything included",
    }
    if outcome.companions.ranking is not None and truth is not None:
        facts["Ranking"] = f"{len(outcome.companions.ranking.archs):,} architectures against {truth.key}"
    if outcome.companions.pruning is not None:
        facts["Paths"] = f"pruned to {len(outcome.companions.pruning.kept):,}"
    if outcome.found is not None:
        facts["Came to"] = outcome.space.format(outcome.found)
        accuracy = truth.accuracies([outcome.found], outcome.space)[0] if truth else None
        if truth and accuracy is not None:
            facts["Its accuracy"] = f"{accuracy:.2f} % ({truth.key})"
    return facts
