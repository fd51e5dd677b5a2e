"""Copy a run's numbers to Weights & Biases, or to any other Lightning logger; never depend on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger

WandbMode = Literal["auto", "online", "offline", "off"]

_SECONDS_TO_REACH_SERVER = 10


class Tracker:
    """One logger's view of a run, written from the store from its beginning at every start of the process.

    A logger that raises is dropped with a message: tracking is a copy, and the run goes on.

    Args:
        logger: Any Lightning logger; None tracks nothing.
        warn: Told, once, of a logger that failed.
    """

    def __init__(self, logger: Logger | None, warn: Callable[[str], None]) -> None:
        self._logger = logger
        self._warn = warn

    def settings(self, settings: Mapping[str, Any]) -> None:
        """Log what decides the run's numbers."""
        self._attempt(lambda logger: logger.log_hyperparams(dict(settings)))

    def numbers(self, numbers: Mapping[str, float], step: int) -> None:
        """Log some scalars; `step` counts within their own group, which is the first part of their names."""

        def log(logger: Any) -> None:
            if _is_wandb(logger):
                groups = {name.split("/")[0] for name in numbers}
                logger.experiment.log({**numbers, **{f"{group}/step": step for group in groups}})
            else:
                logger.log_metrics(dict(numbers), step=step)

        self._attempt(log)

    def group(self, name: str) -> None:
        """Announce a group of scalars with an axis of its own."""

        def define(logger: Any) -> None:
            if _is_wandb(logger):
                logger.experiment.define_metric(f"{name}/step", hidden=True)
                logger.experiment.define_metric(f"{name}/*", step_metric=f"{name}/step")

        self._attempt(define)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Log a table where the logger knows tables."""

        def log(logger: Any) -> None:
            if _is_wandb(logger):
                logger.log_table(name, columns=list(columns), data=[list(row) for row in rows])

        self._attempt(log)

    def summary(self, values: Mapping[str, Any]) -> None:
        """Log the run's outcome."""

        def log(logger: Any) -> None:
            if _is_wandb(logger):
                logger.experiment.summary.update(dict(values))

        self._attempt(log)

    def chart(self, name: str, make: Callable[[], Any]) -> None:
        """Log what `make` draws with wandb: a chart of its own kind, or images."""

        def log(logger: Any) -> None:
            if _is_wandb(logger):
                logger.experiment.log({name: make()})

        self._attempt(log)

    def artifact(self, name: str, kind: str, files: Mapping[str, bytes | Path], facts: Mapping[str, Any]) -> None:
        """Log files, such as the found cell, as one versioned artifact: name in it -> content, or where that is."""

        def log(logger: Any) -> None:
            if _is_wandb(logger):
                logger.experiment.log_artifact(_artifact(name, kind, files, facts))

        self._attempt(log)

    def builds_on(self, name: str, kind: str, files: Mapping[str, bytes | Path], facts: Mapping[str, Any]) -> None:
        """Note an artifact as what the run began with. Online only: W&B takes no such notes offline."""

        def note(logger: Any) -> None:
            if _is_wandb(logger) and not logger.experiment.offline:
                logger.experiment.use_artifact(_artifact(name, kind, files, facts))

        self._attempt(note)

    def finish(self) -> str:
        """Close the logger; return one line that says how to look at what it holds, or nothing."""
        where = ""

        def close(logger: Any) -> None:
            nonlocal where
            if _is_wandb(logger):
                run = logger.experiment
                where = run.url if not run.offline else f"wandb sync {Path(run.dir).parent}"
                run.finish()
            else:
                logger.finalize("success")

        self._attempt(close)
        return where

    def _attempt(self, action: Callable[[Any], None]) -> None:
        if self._logger is None:
            return
        try:
            action(self._logger)
        except Exception as error:  # a copy that fails must not stop the run
            self._logger = None
            self._warn(f"tracking stopped: {type(error).__name__}: {_first_line(error)}. The store has every number.")


def wandb_logger(mode: WandbMode, project: str, name: str, folder: Path, warn: Callable[[str], None]) -> Logger | None:
    """Open a W&B run in `folder`, through Lightning's logger.

    "auto" is online where somebody is logged in and the server answers within ten seconds, offline otherwise; the
    environment's WANDB_MODE, if set, decides before that. "online" falls back in the same way.

    Args:
        mode: "off" opens nothing.
        project: W&B project.
        name: Display name of the run.
        folder: Where the local files go, in a folder `wandb`.
        warn: Told, once, why the run is offline although online was possible.
    """
    if mode == "off" or (mode == "auto" and os.environ.get("WANDB_MODE") == "disabled"):
        return None
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb
    from lightning.pytorch.loggers import WandbLogger

    def open_run(chosen: Literal["online", "offline"]) -> Any:
        settings = wandb.Settings(
            init_timeout=_SECONDS_TO_REACH_SERVER, silent=True, console="off", x_disable_stats=True
        )
        return wandb.init(project=project, name=name, dir=str(folder), mode=chosen, settings=settings)

    wanted = os.environ.get("WANDB_MODE", mode) if mode == "auto" else mode
    folder.mkdir(parents=True, exist_ok=True)
    if wanted in ("auto", "online"):
        try:
            if wandb.login(prompt=False, timeout=_SECONDS_TO_REACH_SERVER):
                return WandbLogger(experiment=open_run("online"))
            reason = "nobody is logged in" if wanted == "online" else ""
        except Exception as error:  # no key, a wrong key, no server: whatever it is, offline serves
            reason = f"{type(error).__name__}: {_first_line(error)}"
        if reason:
            warn(f"W&B is offline for this run: {reason}.")
    try:
        return WandbLogger(experiment=open_run("offline"))
    except Exception as error:  # W&B is a copy: without it the run goes on
        warn(f"W&B is off for this run: {type(error).__name__}: {_first_line(error)}.")
        return None


def _artifact(name: str, kind: str, files: Mapping[str, bytes | Path], facts: Mapping[str, Any]) -> Any:
    import wandb

    artifact = wandb.Artifact(name, type=kind, metadata=dict(facts))
    for within, content in files.items():
        if isinstance(content, Path):
            artifact.add_file(str(content), name=within)
        else:
            with artifact.new_file(within, mode="wb") as file:
                file.write(content)
    return artifact


def _is_wandb(logger: Logger) -> bool:
    from lightning.pytorch.loggers import WandbLogger

    return isinstance(logger, WandbLogger)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(". ")
