"""What every executor offers."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from lnas.errors import TERMINATED, LnasError, RunError, UsageError

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Done(Generic[TaskT, ResultT]):
    """A task that is over: its result, or the error that stands in its place.

    Attributes:
        task: The object that the caller gave.
        result: What the function returned; None where there is an error.
        error: A `UsageError` if the function raised one, else a `RunError` that names what it raised, or how the
            process ended that ran it. The traceback is among its notes.
    """

    task: TaskT
    result: ResultT | None = None
    error: LnasError | None = None


class Executor(ABC):
    """Runs one function on many tasks.

    Results depend on the tasks alone, not on the executor nor on the order in which they come. The function, the tasks
    and the results must survive `pickle`: functions of a module, their `functools.partial`, methods of plain objects.
    """

    @abstractmethod
    def run(self, function: Callable[[TaskT], ResultT], tasks: Iterable[TaskT]) -> Iterator[Done[TaskT, ResultT]]:
        """Yield every task once, as soon as it is over.

        A task is taken from `tasks` when there is room for it and not before, so that they may be without end, and
        may depend on the results so far. What a task raises is a value here, and the others go on. The caller's
        Ctrl-C, or leaving the loop early, ends the tasks under way.

        Raises:
            UsageError: If the function cannot be given to the executor at all.
            RunError: If the executor cannot start.
        """


def attempt(function: Callable[[TaskT], ResultT], task: TaskT) -> Done[TaskT, ResultT]:
    """Run a task here and now; what it raises is its result, unless this process was asked to end."""
    try:
        return Done(task, result=function(task))
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and error.code == TERMINATED:
            raise
        return Done(task, error=plain_error(error))


def plain_error(error: BaseException) -> LnasError:
    """Tell an error in a class of ours, which every process can read, with its traceback as a note.

    Example:
        >>> plain_error(ZeroDivisionError("by zero"))
        RunError('ZeroDivisionError: by zero')
    """
    text = "".join(traceback.format_exception_only(error)).strip()
    kind = UsageError if isinstance(error, UsageError) else RunError
    plain = kind(str(error) if isinstance(error, LnasError) else text)
    plain.add_note("".join(traceback.format_exception(error)))
    return plain
