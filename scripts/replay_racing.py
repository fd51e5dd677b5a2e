"""Would racing have picked as well? Searches of stored short trainings, in full and as races, beside the truth.

    python scripts/replay_racing.py results/score --benchmark digits --key digits-1.0/digits/test@8/mean

The folder is one of `lnas score` whose estimators are a ShortTrainingEstimator and those of the other measures that
RANK names: its store holds the curves of angle and loss, its scores.parquet the rest. Each row is one race, over the
same searches: candidates drawn without replacement, `difference` with the 95 % interval over resamples of the searches.
"""

from __future__ import annotations

import argparse
import itertools
import re
from contextlib import closing
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from lnas.analysis.race_replay import RaceReplay, replay_races
from lnas.analysis.racing import Racing
from lnas.benchmarks import load_scores
from lnas.pipeline.truth import Truth
from lnas.proxies import PROXIES
from lnas.spaces import SPACES
from lnas.store import Store
from lnas.types import Arch, Estimate, Trial

FOLLOWED = {"angle": False, "loss": False, "loss_tail": False, "loss_area": False}
EARLY = ("loss", "loss_tail", "loss_area")
RUNGS = [(12, 25, 50), (6, 12, 25, 50), (25, 50)]


def short_trainings(store: Store) -> dict[Arch, dict[str, Estimate]]:
    """Return what each architecture's short training measured, as far as its curves tell it of fewer steps, too."""
    settings = store.runs()["score"].settings
    found: dict[Arch, dict[str, Estimate]] = {}
    for protocol in settings["estimators"]:
        for arch, estimates in store.all_estimates(protocol, settings["seed"]).items():
            if "angle" in estimates:
                found[arch] = {name: estimates[name] for name in FOLLOWED if name in estimates}
    return found


def read_pool(folder: Path) -> list[Trial]:
    """Return the architectures of a folder of scores that have been trained."""
    scores = load_scores(folder / "scores.parquet")
    with closing(Store(folder / "store.sqlite")) as store:
        trained = short_trainings(store)
    constants = {name: values for name, values in scores.columns.items() if name in PROXIES}
    return [
        Trial(arch, trained[arch] | {name: Estimate.of(values[row]) for name, values in constants.items()})
        for row, arch in enumerate(scores.archs)
        if arch in trained
    ]


def cells(racing: Racing, candidates: int, replay: RaceReplay) -> list[str]:
    """Return a row of the table."""
    low, high = replay.interval
    return [
        ", ".join(map(str, racing.rungs)),
        str(racing.rank),
        str(candidates),
        f"{replay.full.mean():.2f}",
        f"{replay.raced.mean():.2f}",
        f"{replay.difference:+.2f} [{low:+.2f}, {high:+.2f}]",
        f"{100 * replay.same:.0f} %",
        f"{100 * replay.spent:.1f} %",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--benchmark", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--path")
    parser.add_argument("--rank", default="angle+loss+params")
    parser.add_argument("--keep", type=float, default=0.5)
    parser.add_argument("--candidates", type=int, nargs="+", default=[25, 50])
    parser.add_argument("--searches", type=int, default=200)
    arguments = parser.parse_args()

    trials = read_pool(arguments.folder)
    if not trials:
        raise SystemExit(f"{arguments.folder}: no short training is in its store")
    truth = Truth(arguments.benchmark, arguments.key, arguments.path)
    accuracies = truth.accuracies([trial.arch for trial in trials], SPACES[trials[0].arch.space]())
    pool = [trial for trial, accuracy in zip(trials, accuracies, strict=True) if accuracy is not None]
    true = np.array([accuracy for accuracy in accuracies if accuracy is not None])
    directions = FOLLOWED | {name: info.higher_is_better for name, info in PROXIES.items()}

    columns = ("rungs", "until the last by", "candidates", "full", "raced", "difference", "same pick", "steps")
    title = f"{arguments.searches} searches of {len(pool)} architectures by {arguments.rank}; {truth.key} of the picks"
    table = Table(*columns, title=title)
    ranks = dict.fromkeys(re.sub(r"\bloss\b", early, arguments.rank) for early in EARLY)
    for candidates, rungs, rank in itertools.product(arguments.candidates, RUNGS, ranks):
        racing = Racing(rungs, arguments.keep, rank)
        replay = replay_races(pool, true, racing, arguments.rank, directions, candidates, arguments.searches)
        table.add_row(*cells(racing, candidates, replay))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
