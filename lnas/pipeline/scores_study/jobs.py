"""Computations that may run side by side."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from lnas.execution import Executor
from lnas.pipeline.display import Display

KeyT = TypeVar("KeyT", bound=Hashable)


def run_jobs(
    jobs: Mapping[KeyT, Callable[[], Any]], title: str, executor: Executor, display: Display
) -> dict[KeyT, Any]:
    """Return what each job returns, in the order of the jobs; the first error of one is raised.

    Args:
        jobs: Key -> a function that survives `pickle`, such as a `functools.partial`.
        title: What is counted on the terminal.
        executor: Runs them.
        display: Shows how far they are.
    """
    results: dict[KeyT, Any] = {}
    with display.bar(title, len(jobs)) as advance:
        for done in executor.run(_call, list(jobs.items())):
            if done.error is not None:
                raise done.error
            results[done.task[0]] = done.result
            advance()
    return {key: results[key] for key in jobs}


def _call(job: tuple[Hashable, Callable[[], Any]]) -> Any:
    return job[1]()
