"""Rank expressions: `angle+loss+params`, `(angle+loss)+params` with the bracket ranked again first, `vote(a,b,c)`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lnas.errors import UsageError, complaint, unknown_name
from lnas.stats.vote import vote
from lnas.types import Trial

_SIGNS = "+(),"
_TOKEN = re.compile(rf"\s*(?:([A-Za-z_][\w.@:/-]*)|([{_SIGNS}]))")


class RankSum(NamedTuple):
    """The outcome of a rank expression over n trials.

    Attributes:
        total: Shape (n,). Sum of ranks; 1 is the best rank, so the smallest total wins.
        ranks: Measure name -> shape (n,), its ranks: ties share their average, trials without a number share the last.
        missing: Measure name -> how many trials had no finite number.
        order: Shape (n,). Indices of the trials from best to worst, ties in the order given. Trials that lack a number
            come after all that lack none: where many fail, their shared rank alone would not keep them down.
        complete: Shape (n,). Whether a trial has all numbers.
    """

    total: np.ndarray
    ranks: dict[str, np.ndarray]
    missing: dict[str, int]
    order: np.ndarray
    complete: np.ndarray


def measure_names(expression: str) -> list[str]:
    """Return the measures that a rank expression names, in order, each once.

    Raises:
        UsageError: If the expression does not parse.

    Example:
        >>> measure_names("vote(synflow,jacob_cov,snip)+params")
        ['synflow', 'jacob_cov', 'snip', 'params']
    """
    return list(dict.fromkeys(_leaves(_parse(expression))))


def rank_sum(expression: str, trials: Sequence[Trial], higher_is_better: Mapping[str, bool]) -> RankSum:
    """Rank the trials by each measure and add the ranks.

    A sum of ranks depends on the whole set of trials, which is why it is computed here, from stored parts, and is never
    an estimate of one candidate.

    Args:
        expression: Measure names joined by `+`. A bracket is summed, then ranked again, before it is added:
            `(angle+loss)+params` is what the code released with ST-NAS does, `angle+loss+params` the flat sum. A
            `vote(synflow,jacob_cov,snip)` of two or more measures is one term: the rank of how many other trials beat
            a trial by majority, less how many it beats; see `lnas.stats.vote`, also for ties.
        trials: The set to rank, n >= 1.
        higher_is_better: Direction of each measure.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", Algorithm 1. There rank 1 is the worst and the highest
    sum wins; the winner is the same.

    Raises:
        UsageError: If the expression does not parse, names an unknown measure, or there is no trial.
    """
    call = f"rank_sum({expression!r})"
    tree = _parse(expression)
    if not trials:
        raise UsageError(complaint(call, "at least one trial", 0, "Estimate candidates first."))
    ranks, missing = {}, {}
    complete = np.ones(len(trials), dtype=bool)
    for name in dict.fromkeys(_leaves(tree)):
        if name not in higher_is_better:
            raise UsageError(f"{call}: {unknown_name('measure', name, higher_is_better)}")
        values = np.array([_finite_value(trial, name) for trial in trials])
        ranks[name] = _ranks_from_best(values if not higher_is_better[name] else -values)
        missing[name] = int(np.isnan(values).sum())
        complete &= ~np.isnan(values)
    total = _summed(tree, ranks)
    return RankSum(total, ranks, missing, np.lexsort((total, ~complete)), complete)


def _finite_value(trial: Trial, name: str) -> float:
    estimate = trial.estimates.get(name)
    return estimate.value if estimate is not None and estimate.status == "ok" else np.nan


def _ranks_from_best(costs: np.ndarray) -> np.ndarray:
    """Rank from 1, the smallest cost; ties by average; NaN last, sharing the average of the places left over."""
    from scipy.stats import rankdata  # a second to import

    return rankdata(np.where(np.isnan(costs), np.inf, costs), method="average")


@dataclass(frozen=True)
class _Vote:
    names: tuple[str, ...]


# A parsed expression is a name, a vote or a tuple of expressions to add.
_Tree = str | _Vote | tuple["_Tree", ...]


def _summed(tree: _Tree, ranks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the cost of each trial: a measure's own rank, or what is to be ranked yet."""
    if isinstance(tree, str):
        return ranks[tree]
    if isinstance(tree, _Vote):
        # Ranks stand for the measures: they order the same, and put trials without a number last.
        return -vote([ranks[name] for name in tree.names], [False] * len(tree.names))
    parts = [_summed(part, ranks) if isinstance(part, str) else _ranks_from_best(_summed(part, ranks)) for part in tree]
    return np.sum(parts, axis=0)


def _leaves(tree: _Tree) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    parts: Sequence[_Tree] = tree.names if isinstance(tree, _Vote) else tree
    return [name for part in parts for name in _leaves(part)]


def _parse(expression: str) -> _Tree:
    tokens, end = [], 0
    while end < len(expression.rstrip()):
        match = _TOKEN.match(expression, end)
        if match is None:
            raise _malformed(expression)
        tokens.append(match.group(1) or match.group(2))
        end = match.end()
    tree, rest = _parse_sum(tokens, expression)
    if rest:
        raise _malformed(expression)
    return tree


def _parse_sum(tokens: list[str], expression: str) -> tuple[tuple[_Tree, ...], list[str]]:
    terms: list[_Tree] = []
    while True:
        term, tokens = _parse_term(tokens, expression)
        terms.append(term)
        if not tokens or tokens[0] != "+":
            return tuple(terms), tokens
        tokens = tokens[1:]


def _parse_term(tokens: list[str], expression: str) -> tuple[_Tree, list[str]]:
    if tokens[:2] == ["vote", "("]:
        return _parse_vote(tokens[2:], expression)
    if tokens[:1] == ["("]:
        inner, tokens = _parse_sum(tokens[1:], expression)
        if tokens[:1] != [")"]:
            raise _malformed(expression)
        return inner, tokens[1:]
    return _parse_name(tokens, expression)


def _parse_vote(tokens: list[str], expression: str) -> tuple[_Vote, list[str]]:
    name, tokens = _parse_name(tokens, expression)
    names = [name]
    while tokens[:1] == [","]:
        name, tokens = _parse_name(tokens[1:], expression)
        names.append(name)
    if tokens[:1] != [")"]:
        raise _malformed(expression)
    if len(names) < 2 or len(set(names)) < len(names):
        call, written = f"rank expression {expression!r}", f"vote({','.join(names)})"
        expected = "a vote of two or more measures, each once"
        raise UsageError(complaint(call, expected, written, "Example: vote(synflow,jacob_cov,snip)."))
    return _Vote(tuple(names)), tokens[1:]


def _parse_name(tokens: list[str], expression: str) -> tuple[str, list[str]]:
    if not tokens or tokens[0] in _SIGNS:
        raise _malformed(expression)
    return tokens[0], tokens[1:]


def _malformed(expression: str) -> UsageError:
    return UsageError(
        complaint(
            f"rank expression {expression!r}",
            "measure names joined by '+', brackets closed",
            expression,
            "Examples: angle+loss+params, (angle+loss)+params, vote(synflow,jacob_cov,snip)+params.",
        )
    )
