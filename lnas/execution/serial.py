"""One task after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lnas.execution.base import Done, Executor, ResultT, TaskT, attempt


class Serial(Executor):
    """Run tasks in the caller's process, each when it is asked for.

    Example:
        >>> [done.result for done in Serial().run(abs, [-1, 2])]
        [1, 2]
    """

    def run(self, function: Callable[[TaskT], ResultT], tasks: Iterable[TaskT]) -> Iterator[Done[TaskT, ResultT]]:
        return (attempt(function, task) for task in tasks)
