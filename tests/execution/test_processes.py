from __future__ import annotations

import importlib
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from lnas.errors import RunError, UsageError
from lnas.execution import Done, Executor, Processes, Serial

TASKS = """
    import functools, multiprocessing, os, pathlib, signal, sys, threading, time

    def odd(number):
        if number % 2 == 0:
            raise ArithmeticError(f"{number} is even")
        return number

    def waits_for(mark):
        end = time.monotonic() + 20
        while mark and not mark.exists() and time.monotonic() < end:
            time.sleep(0.01)
        return mark is None or mark.exists()

    def of_kind(kind):
        if kind == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "crashed":
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind == "exited":
            os._exit(3)
        if kind == "dies afterwards":
            threading.Timer(0.3, os._exit, [3]).start()
            return os.getpid()
        if kind == "sys.exit":
            sys.exit(3)
        if kind == "not to be written":
            return lambda: None
        if kind == "not to be read":
            return OnlyThere()
        return kind

    class OnlyThere:
        def __reduce__(self):
            return int, ("no number",)

    def killed_before_try(task):
        folder, successful = task
        tries = len(list(folder.iterdir())) + 1
        (folder / str(tries)).touch()
        if tries < successful:
            os.kill(os.getpid(), signal.SIGKILL)
        return tries

    def pid(number):
        return os.getpid()

    def environment(name):
        return os.environ.get(name)

    def imported(name):
        return name in sys.modules

    def with_a_process_of_its_own(number):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.map(abs, [-number])

    def sleeps(folder):
        (pathlib.Path(folder) / str(os.getpid())).touch()
        time.sleep(60)

    def interrupts(task):
        return "held" if signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []) else "not held"

    def sleeps_if_a_folder(task):
        return sleeps(task) if isinstance(task, pathlib.Path) else task
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module with functions, importable here and in workers."""
    name = "tasks_of_the_test"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(TASKS))
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(name)
    del sys.modules[name]


@pytest.fixture(autouse=True)
def _no_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers import the script that started them: spare them pytest's."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


def outcome(done: Done[object, object]) -> tuple[object, object, str]:
    return done.task, done.result, str(done.error)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_results_are_those_of_a_serial_run_and_every_task_comes_once(tasks: Any) -> None:
    expected = Counter(map(outcome, Serial().run(tasks.odd, range(30))))
    assert max(expected.values()) == 1
    assert Counter(map(outcome, Processes(3).run(tasks.odd, range(30)))) == expected


def test_results_come_as_soon_as_they_are_there(tasks: Any, tmp_path: Path) -> None:
    """The first task ends when the caller has the result of the second."""
    mark = tmp_path / "mark"
    run = Processes(2).run(tasks.waits_for, [mark, None])
    assert next(run) == Done(None, True)
    mark.touch()
    assert list(run) == [Done(mark, True)]


@pytest.mark.parametrize(("executor", "workers"), [(Serial(), 1), (Processes(1), 1), (Processes(2), 2)])
def test_tasks_without_end_are_taken_one_by_one(executor: Executor, workers: int) -> None:
    taken: list[int] = []
    run = executor.run(abs, (taken.append(number) or number for number in itertools.count()))
    for seen in range(1, 9):
        next(run)
        assert seen <= len(taken) <= seen - 1 + workers
    run.close()


def test_tasks_may_depend_on_the_results_so_far() -> None:
    results = [1]
    for done in Processes(1).run(abs, (-2 * results[-1] for _ in range(5))):
        results.append(done.result)  # noqa: PERF401
    assert results == [1, 2, 4, 8, 16, 32]


def test_there_are_no_more_workers_than_tasks_and_each_serves_many(tasks: Any) -> None:
    assert list(Processes(50).run(abs, [])) == []
    assert len({done.result for done in Processes(2).run(tasks.pid, range(12))}) <= 2


def test_a_worker_that_dies_costs_its_task_alone(tasks: Any) -> None:
    kinds = ["fine 1", "killed", "fine 2", "crashed", "fine 3", "exited", "fine 4"]
    run = list(Processes(2).run(tasks.of_kind, kinds))
    assert sorted(done.task for done in run) == sorted(kinds)
    assert {done.task: done.result for done in run if done.error is None} == {
        f"fine {n}": f"fine {n}" for n in (1, 2, 3, 4)
    }
    told = {done.task: str(done.error) for done in run if done.error}
    start = "Processes.run, task {!r}: expected a worker that survives it, got {!r}. After signal 9, memory"
    assert told["killed"].startswith(start.format("killed", "signal 9 (Killed), twice"))
    assert told["crashed"].startswith(start.format("crashed", "signal 11 (Segmentation fault), twice"))
    assert told["exited"].startswith(start.format("exited", "exit status 3, twice"))


def test_a_worker_that_dies_between_tasks_is_replaced(tasks: Any) -> None:
    run = Processes(1).run(tasks.of_kind, ["dies afterwards", "fine"])
    pid = next(run).result
    wait_until(lambda: not is_running(pid))
    assert list(run) == [Done("fine", "fine")]


def test_a_task_whose_worker_dies_is_tried_twice(tasks: Any, tmp_path: Path) -> None:
    tried = [(tmp_path / name, successful) for name, successful in (("once", 1), ("twice", 2), ("never", 3))]
    for folder, _ in tried:
        folder.mkdir()
    run = {done.task: done for done in Processes(1).run(tasks.killed_before_try, tried)}
    assert [run[task].result for task in tried] == [1, 2, None]
    assert [len(list(folder.iterdir())) for folder, _ in tried] == [1, 2, 2]


def test_what_pickle_cannot_carry_is_an_error_of_its_task(tasks: Any) -> None:
    here_only = lambda: None  # noqa: E731
    kinds = ["sys.exit", "not to be written", "not to be read", here_only, "fine"]
    run = {done.task: done for done in Processes(1).run(tasks.of_kind, kinds)}
    assert run.pop("fine").result == "fine"
    told = [str(run[kind].error) for kind in kinds[:-1]]
    assert told[0] == "SystemExit: 3"
    assert "Can't pickle" in told[1]
    assert told[2] == "ValueError: invalid literal for int() with base 10: 'no number'"
    assert "Can't pickle" in told[3]


def test_threads_are_set_in_the_workers_environment_alone(tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"]
    monkeypatch.setenv(names[0], "7")
    monkeypatch.delenv(names[1], raising=False)
    before = dict(os.environ)
    assert {done.result for done in Processes(1, threads=3).run(tasks.environment, names)} == {"3"}
    assert dict(os.environ) == before


def test_workers_do_not_import_torch_by_themselves(tasks: Any) -> None:
    run = Processes(1).run(tasks.imported, ["torch", "lightning", "numpy", "lnas.execution.processes"])
    assert [done.result for done in run] == [False, False, False, True]


def test_tasks_may_start_processes_as_data_loaders_do(tasks: Any) -> None:
    assert [done.result for done in Processes(1).run(tasks.with_a_process_of_its_own, [3])] == [[3]]


def test_leaving_early_ends_the_workers(tasks: Any, tmp_path: Path) -> None:
    run = Processes(2).run(tasks.sleeps_if_a_folder, ["at once", tmp_path])
    assert next(run).task == "at once"
    wait_until(lambda: any(tmp_path.glob("[0-9]*")))
    (pid,) = (int(path.name) for path in tmp_path.glob("[0-9]*"))
    assert is_running(pid)
    started = time.monotonic()
    run.close()
    assert time.monotonic() - started < 5
    assert not is_running(pid)


@pytest.mark.parametrize(
    ("count", "threads", "name"),
    [(0, 1, "count"), (-1, 1, "count"), (2, 0, "threads"), (True, 1, "count"), (1.5, 1, "count")],
)
def test_less_than_one_process_or_thread_is_refused(count: int, threads: int, name: str) -> None:
    with pytest.raises(
        UsageError, match=rf"^Processes\(count={count}, threads={threads}\): expected {name} >= 1, got "
    ):
        Processes(count, threads)


def test_a_function_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match=r"expected a function that pickle can write, got <function .*<lambda>"):
        next(Processes(1).run(lambda task: task, [1]))


def test_a_function_that_workers_do_not_have_ends_the_run(tasks: Any, tmp_path: Path) -> None:
    (tmp_path / "tasks_of_the_test.py").write_text("")
    with pytest.raises(RunError, match=r"expected a function that a worker can import, got .*AttributeError.*'odd'"):
        next(Processes(1).run(tasks.odd, [1]))


def test_a_machine_without_room_for_a_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(process: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", full)
    with pytest.raises(RunError, match=r"expected one process more, got .*Resource temporarily unavailable"):
        next(Processes(1).run(abs, [1]))


DRIVER = """
import signal, sys
from lnas.execution import Processes
from tasks_of_the_test import sleeps

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    print("here", flush=True)
    try:
        list(Processes(2).run(sleeps, [sys.argv[1]] * 3))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


ASKING = """
from lnas.execution import Processes
from tasks_of_the_test import interrupts

if __name__ == "__main__":
    (done,) = Processes(1).run(interrupts, [None])
    print(f"worker: {done.result}, driver: {interrupts(None)}")
"""


@pytest.fixture
def driver(tasks: Any, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own group, as from a terminal, whose two workers would take a minute."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    with subprocess.Popen(
        [sys.executable, script, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "here\n"
        yield process
        process.kill()


def workers_under(folder: Path) -> list[int]:
    wait_until(lambda: len(list(folder.glob("[0-9]*"))) == 2)
    return [int(path.name) for path in folder.glob("[0-9]*")]


def test_no_worker_outlives_a_killed_driver(driver: subprocess.Popen[str], tmp_path: Path) -> None:
    pids = workers_under(tmp_path)
    assert all(map(is_running, pids))
    driver.kill()
    driver.wait()
    wait_until(lambda: not any(map(is_running, pids)), seconds=10)


def test_ctrl_c_is_one_interrupt_of_the_driver(driver: subprocess.Popen[str], tmp_path: Path) -> None:
    """The terminal sends it to the workers too: these say nothing, and are gone."""
    workers_under(tmp_path)
    os.killpg(driver.pid, signal.SIGINT)
    printed, complaints = driver.communicate(timeout=20)
    assert (printed, complaints, driver.returncode) == ("interrupted\n", "", 0)
    wait_until(lambda: not group_is_alive(driver.pid), seconds=10)


def test_not_even_the_first_worker_of_a_process_gets_interrupts_as_it_starts(tasks: Any, tmp_path: Path) -> None:
    """With it starts a process that multiprocessing needs, and that start lets interrupts through."""
    script = tmp_path / "asking.py"
    script.write_text(ASKING)
    said = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert (said.stdout, said.stderr) == ("worker: held, driver: not held\n", "")


def group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_script_without_a_guard_is_told_about_it(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text("from lnas.execution import Processes\nlist(Processes(1).run(abs, [1]))\n")
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert (
        "RunError: Processes.run: expected workers that start, got 'exit status 1'. A script's start must"
        in ended.stderr
    )
