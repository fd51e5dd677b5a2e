"""Tasks in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from lnas.errors import LnasError, RunError, UsageError, complaint
from lnas.execution.base import Done, Executor, ResultT, TaskT, attempt, plain_error

_SPAWN = multiprocessing.get_context("spawn")  # PyTorch does not survive a fork of its threads
_THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_TRIES = 2
_SECONDS_TO_END = 5.0


class Processes(Executor):
    """Run tasks in worker processes, each one task at a time.

    A worker is a fresh interpreter. It starts in about 0.2 s, and then imports what the function needs, which takes
    seconds where that is PyTorch and Lightning. Each `run` starts its own workers, no more than it has tasks: few runs
    of many tasks are better than many of few. A script that runs this is imported by the workers too, so that its start
    must stand under `if __name__ == "__main__":`.

    A worker that dies (out of memory, a crash in native code) costs its task alone, which is run again in a new one,
    and is an error if that dies as well. No worker outlives the caller's process, however that ends. A worker rests
    while the caller handles its result.

    Args:
        count: How many workers, at most.
        threads: How many threads each may use for linear algebra. They see it in their environment (OMP_NUM_THREADS and
            its kind), before any library starts.

    Raises:
        UsageError: If a number is below 1.
    """

    def __init__(self, count: int, threads: int = 1) -> None:
        for name, number in (("count", count), ("threads", threads)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                call = f"Processes(count={count!r}, threads={threads!r})"
                raise UsageError(complaint(call, f"{name} >= 1", number, "Serial() does without processes."))
        self._count = count
        self._threads = threads

    def run(self, function: Callable[[TaskT], ResultT], tasks: Iterable[TaskT]) -> Iterator[Done[TaskT, ResultT]]:
        crew = _Crew(_pack_function(function), self._count, self._threads)
        try:
            yield from crew.work(iter(tasks))
        finally:
            crew.end()


@dataclass
class _Job:
    task: Any
    deaths: int = 0


class _Worker:
    """A process and the driver's end of the pipe to it; nobody else has that end, so that losing it ends the process.

    Attributes:
        pipe: Readable when the process has said something, or died.
        job: What it works on.
        started: Whether it has said that it is ready.
    """

    def __init__(self, function: bytes, threads: int) -> None:
        self.job: _Job | None = None
        self.started = False
        self.pipe, far_end = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(far_end, function), daemon=True)
        with far_end, _environment(dict.fromkeys(_THREAD_LIMITS, str(threads))), _interrupts_held():
            try:
                self._process.start()
            except OSError as error:
                step = "Use fewer, or end what else is running."
                raise RunError(complaint("Processes.run", "one process more", str(error), step)) from error

    def give(self, job: _Job) -> None:
        packed = pickle.dumps(job.task)
        self.job = job
        with suppress(OSError):  # that it has died is heard when it is listened to
            self.pipe.send_bytes(packed)

    def hear(self) -> tuple[Any, LnasError | None]:
        """Return what it says: a result or an error.

        Raises:
            EOFError: If it has died.
        """
        try:
            packed = self.pipe.recv_bytes()
        except OSError as error:
            raise EOFError from error
        try:
            return pickle.loads(packed)
        except Exception as error:
            return None, plain_error(error)

    def end(self, patience: float) -> str:
        """Hang up, give it these seconds to end by itself, and return how it ended."""
        self.pipe.close()
        self._process.join(patience)
        self._process.kill()
        self._process.join()
        code = self._process.exitcode
        self._process.close()
        return f"exit status {code}" if code is None or code >= 0 else f"signal {-code} ({signal.strsignal(-code)})"


class _Crew:
    """The workers of one run, and the tasks they have."""

    def __init__(self, function: bytes, count: int, threads: int) -> None:
        self._function = function
        self._count = count
        self._threads = threads
        self._workers: list[_Worker] = []
        self._again: list[_Job] = []
        self._any_started = False

    def work(self, tasks: Iterator[Any]) -> Iterator[Done[Any, Any]]:
        jobs = map(_Job, tasks)
        while True:
            yield from self._hand_out(jobs)
            busy = {worker.pipe: (worker, worker.job) for worker in self._workers if worker.job}
            if not busy:
                return
            ready = wait(list(busy))
            done = self._listen_to(*next(who for pipe, who in busy.items() if pipe in ready))
            if done is not None:
                yield done

    def end(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.end(patience=0 if worker.job else _SECONDS_TO_END)

    def _hand_out(self, jobs: Iterator[_Job]) -> Iterator[Done[Any, Any]]:
        """Give tasks to all workers that rest; yield those that cannot be sent."""
        while (idle := self._idle()) or len(self._workers) < self._count:
            job = self._again.pop() if self._again else next(jobs, None)
            if job is None:
                return
            if not idle:
                idle = [_Worker(self._function, self._threads)]
                self._workers += idle
            try:
                idle[0].give(job)
            except Exception as error:  # whatever pickle meets in a task
                yield Done(job.task, error=plain_error(error))

    def _idle(self) -> list[_Worker]:
        return [worker for worker in self._workers if not worker.job]

    def _listen_to(self, worker: _Worker, job: _Job) -> Done[Any, Any] | None:
        """Return what a busy worker has done, None if it has only started, or died for the first time."""
        try:
            result, error = worker.hear()
        except EOFError:
            return self._bury(worker, job)
        if worker.started:
            worker.job = None
            self._workers.sort(key=lambda other: other is worker)  # last, so that others are heard first
            return Done(job.task, result, error)
        if error is not None:
            step = "Put it into a module: a worker does not know what was typed at a prompt or in a notebook."
            raise RunError(complaint("Processes.run", "a function that a worker can import", str(error), step))
        worker.started = self._any_started = True
        return None

    def _bury(self, worker: _Worker, job: _Job) -> Done[Any, Any] | None:
        """Note that a worker died of its task; return the task if that was its last try."""
        self._workers.remove(worker)
        ending = worker.end(patience=_SECONDS_TO_END)
        if not self._any_started:
            step = "A script's start must stand under `if __name__ == '__main__':`; else see what the worker printed."
            raise RunError(complaint("Processes.run", "workers that start", ending, step))
        job.deaths += 1
        if job.deaths < _TRIES:
            self._again.append(job)
            return None
        step = "After signal 9, memory was mostly short: use fewer processes. Serial() shows where others come from."
        call = f"Processes.run, task {job.task!r}"
        return Done(job.task, error=RunError(complaint(call, "a worker that survives it", f"{ending}, twice", step)))


def _serve(pipe: Connection, packed_function: bytes) -> None:
    """Be a worker: say whether the function can be had, then run it on whatever comes, until nobody is there."""
    multiprocessing.current_process().daemon = False  # its tasks may start processes, as data loaders do
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    loaded = attempt(pickle.loads, packed_function)
    function: Any = loaded.result
    with suppress(EOFError, OSError):
        pipe.send_bytes(_pack(Done(None, error=loaded.error)))
        while True:
            pipe.send_bytes(_pack(attempt(lambda packed: function(pickle.loads(packed)), pipe.recv_bytes())))


def _end_with_the_driver() -> None:
    """End even in the midst of a task, which does not listen to the pipe."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)


def _pack(done: Done[Any, Any]) -> bytes:
    try:
        return pickle.dumps((done.result, done.error))
    except Exception as error:
        return pickle.dumps((None, plain_error(error)))


def _pack_function(function: Callable[..., Any]) -> bytes:
    try:
        return pickle.dumps(function)
    except Exception as error:
        step = f"Take one of a module, not a lambda nor one defined inside another. {plain_error(error)}"
        raise UsageError(complaint("Processes.run", "a function that pickle can write", function, step)) from error


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the processes started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; processes started meanwhile never get it, which leaves it to the driver to end them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # with the first process; it would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
