"""Searches on a table, from Python.

As the multi-trial searches of NATS-Bench (Dong et al., TPAMI 2021; released as `exps/NATS-algos`): each evaluation adds
the seconds of its training and of one validation to the time used; the search goes on while the time used is below the
budget, so that the evaluation that crosses it counts; an architecture that is proposed again costs again; the answer is
the first with the highest estimate. Its topology space is searched for 20,000 s on CIFAR-10, 40,000 s on CIFAR-100 and
120,000 s on ImageNet16-120, with the accuracy after 12 epochs as the estimate.

Deviations: `simulate_train_eval` takes one of the recorded trainings at random each time, an `AccuracyKey` names which
(or their mean); the published table interpolates the accuracy at the budget between the answers before and after it was
crossed, `Seconds` takes one or the other.
"""

from __future__ import annotations

from lnas.errors import UsageError, complaint
from lnas.estimators import TabularEstimator
from lnas.pipeline.asking import ask
from lnas.pipeline.search.budget import Budget, Evaluations, Seconds, UntilOver
from lnas.pipeline.search.course import Course
from lnas.search import Objective, Strategy
from lnas.types import Trial


def search_table(strategy: Strategy, estimator: TabularEstimator, budget: Budget) -> Course:
    """Let a new strategy propose one architecture at a time until the budget is used up, or it is over or at its limit.

    A budget of evaluations does not count those that are the strategy's `free` ones.

    Returns:
        What was evaluated and answered.

    Raises:
        UsageError: If the budget is none, the strategy cannot propose as many as it counts, it is one of time and none
            was recorded, or an architecture is not of the benchmark's space.
    """
    if not isinstance(budget, Evaluations | Seconds | UntilOver):
        call, step = "search_table(..., budget)", "Example: Seconds(20_000)."
        raise UsageError(complaint(call, "Evaluations(...), Seconds(...) or UntilOver()", budget, step))
    course = Course(strategy, Objective(estimator.measure, estimator.measures), budget)
    require_architectures(strategy)
    while (candidate := course.proposal()) is not None:
        found = ask(estimator, candidate, seed=0)
        course.tell(Trial(candidate, found), found[estimator.measure].seconds)
    return course


def require_architectures(strategy: Strategy) -> None:
    """Raise `UsageError` unless a strategy proposes what tables hold."""
    if strategy.proposes != "architectures":
        call, step = f"a search of a table by {type(strategy).__name__}", "Tables hold no supernets."
        raise UsageError(complaint(call, "a strategy that proposes architectures", strategy.proposes, step))
