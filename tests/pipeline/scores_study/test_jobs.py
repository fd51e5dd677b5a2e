from __future__ import annotations

import operator
from functools import partial

import pytest

from lnas.errors import UsageError
from lnas.execution import Serial
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.jobs import run_jobs


def test_results_are_by_key() -> None:
    jobs = {("a", 1): partial(operator.add, 1, 2), ("b", 2): partial(operator.mul, 3, 4)}
    assert run_jobs(jobs, "", Serial(), Display(quiet=True)) == {("a", 1): 3, ("b", 2): 12}


def test_an_error_is_raised_as_it_is() -> None:
    def refuse() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        run_jobs({"a": refuse}, "", Serial(), Display(quiet=True))
