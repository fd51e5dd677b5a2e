"""`lnas study landscape`: the ways of searches that parted, over what their measures say of the plane between them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lnas.analysis.landscape import SearchPlane, Surface, common_start, search_plane, surface
from lnas.analysis.share_beaten import share_beaten
from lnas.benchmarks.parquet import read_columns
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators.directions import known_direction
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_output
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import held
from lnas.report.line_chart import LineChart, Reference, Series, draw_line_chart
from lnas.report.search_landscape import Landscape, Way, draw_landscape
from lnas.report.study import StudyReport
from lnas.report.table import Column, ResultTable
from lnas.spaces import SPACES, SearchSpace
from lnas.spaces.drawing import Svg
from lnas.types import Arch

_FILE = "trials.parquet"
_DESCRIBING = ("strategy", "judge", "seed", "evaluation", "candidate", "seconds")
_CHILDREN = 2
_POINTS = 60
_HEIGHT = "of the architectures visited that are worse (%)"


class Trials(NamedTuple):
    """What one search visited.

    Attributes:
        archs: In order.
        values: Measure -> of each, NaN where there is no number.
    """

    archs: list[Arch]
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Scene:
    """Two searches that parted, on one plane.

    Attributes:
        label: Which.
        at: For how many evaluations they did the same; 0 where they never did.
        plane: Where their architectures are.
        heights: Measure -> share of the architectures visited that are worse, in percent, over the plane.
    """

    label: str
    at: int
    plane: SearchPlane
    heights: Mapping[str, Surface]

    @property
    def ends(self) -> np.ndarray:
        """Where the two end, shape (2, 2)."""
        return np.stack([path[-1] for path in self.plane.paths.values()])


def study_landscape(
    searches: dict[str, list[str]],
    measures: Sequence[str] = (),
    higher_is_better: dict[str, bool] | None = None,
    space: SearchSpace | None = None,
    output: str = "results/landscape",
    quiet: bool = False,
    config: str | None = None,
) -> StudyReport:
    """Draw where searches that parted went, and how good architectures are in between.

    SEARCHES are folders of `lnas search`, two for each picture: two branches of one parent, made by
    `lnas search --from PARENT --at T --seed S` with two seeds, or the parent and one branch of it. Nothing is measured:
    heights are what the searches' own measures said, as ranks among all they visited, and flat triangles between. The
    plane is that of the first two principal components. Writes OUTPUT/landscape.html, the table as .parquet, .csv and
    .md, and figures as .svg.

    Args:
        searches: Label, such as early -> the two folders.
        measures: Which; all that the searches of a label took if not given.
        higher_is_better: Of measures that lnas does not know; true if not given.
        space: Where the architectures are from, if it is not one of lnas'.
        output: Folder for page, table and figures.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay it.

    Returns:
        What the page shows.

    Raises:
        UsageError: If a folder holds no search, or several; two searches are of different spaces, or visited too
            few architectures; or a measure is none of theirs.
        RunError: If OUTPUT cannot be written, or another process works in it.

    Source: Chen et al. 2021 (TEG-NAS), Sec. 4.3 and Fig. 4.
    """
    display = Display(quiet)
    check_output(output)
    if not searches:
        step = "Example: --searches.early '[results/one, results/other]'."
        raise UsageError(complaint("searches={}", "at least one pair of folders", "none", step))
    scenes = [
        _scene(label, _loaded(label, folders), measures, higher_is_better or {}, space)
        for label, folders in searches.items()
    ]
    folder = Path(output)
    replay = f"lnas study landscape --config {shlex.quote(str(folder / 'config.yaml'))}" if config else ""
    report = _report(f"lnas study landscape: {folder.name}", scenes, replay or "study_landscape from Python", searches)
    with held(folder, config):
        write_results(report, folder, "landscape.html")
    for table in report.tables:
        display.show(shown(table))
    display.say(f"Page: {folder / 'landscape.html'}")
    return report


def _loaded(label: str, folders: Sequence[str]) -> dict[str, Trials]:
    if len(set(folders)) != _CHILDREN:
        call, step = f"searches.{label}={list(folders)}", "Name two branches of one search."
        raise UsageError(complaint(call, "two folders", len(set(folders)), step))
    return {f"child {k}": _trials(f"searches.{label}", Path(folder)) for k, folder in enumerate(folders, start=1)}


def _trials(call: str, folder: Path) -> Trials:
    columns = read_columns(folder / _FILE)
    missing = [name for name in _DESCRIBING if name not in columns]
    if missing:
        step = "Name the output folder of a search."
        raise UsageError(complaint(f"{call}: {str(folder / _FILE)!r}", f"columns {missing}", "none", step))
    several = {name: len(set(columns[name].tolist())) for name in ("strategy", "judge", "seed")}
    if any(count != 1 for count in several.values()):
        raise UsageError(complaint(f"{call}: {str(folder)!r}", "one search", several, "Search with --repeats 1."))
    try:
        archs = [Arch.from_text(text) for text in columns["candidate"].tolist()]
    except UsageError as error:
        step = "Regions have no place on the plane."
        raise UsageError(
            complaint(f"{call}: {str(folder)!r}", "a search among architectures", "another", step)
        ) from error
    return Trials(archs, {name: own for name, own in columns.items() if name not in _DESCRIBING})


def _scene(
    label: str,
    trials: Mapping[str, Trials],
    measures: Sequence[str],
    directions: Mapping[str, bool],
    space: SearchSpace | None,
) -> Scene:
    one, other = trials.values()
    for name in measures:
        if name not in one.values.keys() & other.values.keys():
            known = [name for name in one.values if name in other.values]
            raise UsageError(f"measures, searches.{label}: {unknown_name('measure', name, known)}")
    paths = {name: own.archs for name, own in trials.items()}
    plane = search_plane(paths, space or _space_of(label, one.archs + other.archs))
    points = np.concatenate(list(plane.paths.values()))
    heights = {}
    for name in measures or [name for name in one.values if name in other.values]:
        values = np.concatenate([one.values[name], other.values[name]])
        heights[name] = surface(points, share_beaten(values if _direction(name, directions) else -values))
    return Scene(label, common_start(list(paths.values())), plane, heights)


def _space_of(label: str, archs: Sequence[Arch]) -> SearchSpace:
    names = sorted({arch.space for arch in archs})
    if len(names) > 1 or names[0] not in SPACES:
        step = "Give --space for one of your own."
        raise UsageError(complaint(f"searches.{label}", "architectures of one space of lnas", names, step))
    return SPACES[names[0]]()


def _direction(measure: str, given: Mapping[str, bool]) -> bool:
    known = known_direction(measure)
    return given.get(measure, True) if known is None else known


def _report(title: str, scenes: Sequence[Scene], replay: str, searches: Mapping[str, Sequence[str]]) -> StudyReport:
    return StudyReport(
        title,
        {scene.label: _said(scene) for scene in scenes},
        [_table(scenes)],
        {caption: drawing for scene in scenes for caption, drawing in _along(scene).items()},
        replay,
        {label: "\n".join(folders) for label, folders in searches.items()},
        {f"Landscape: {scene.label}": _drawn(scene) for scene in scenes},
    )


def _said(scene: Scene) -> str:
    counts = ", ".join(f"{len(path):,}" for path in scene.plane.paths.values())
    seen = 100 * scene.plane.plane.explained.sum()
    return f"parted after {scene.at:,} of {counts} evaluations; the plane shows {seen:.0f} % of the variance"


def _drawn(scene: Scene) -> dict[str, Svg]:
    """Draw the plane by each measure, as Fig. 4 does: caption -> picture."""
    across, up = (
        f"principal component {k} ({100 * share:.0f} %)" for k, share in enumerate(scene.plane.plane.explained, start=1)
    )
    start = max(scene.at - 1, 0)
    (one, path), (other, other_path) = scene.plane.paths.items()
    ways = [
        *([Way("before they part", "shared", path[: scene.at])] if scene.at else []),
        Way(one, "one", path[start:]),
        Way(other, "other", other_path[start:]),
        Way("straight between ends", "straight", scene.ends),
    ]
    return {
        f"{scene.label}, {name}": draw_landscape(
            Landscape(f"{scene.label}, {name}", across, up, heights.on_grid(_POINTS), _HEIGHT, ways)
        )
        for name, heights in scene.heights.items()
    }


def _along(scene: Scene) -> dict[str, Svg]:
    """Draw what lies on the straight line between the two ends."""
    shares = np.linspace(0, 1, _POINTS).tolist()
    series = [Series(name, shares, own.along(*scene.ends).tolist()) for name, own in scene.heights.items()]
    if not any(each.points for each in series):
        return {}
    caption = f"{scene.label}: between the ends"
    across = "share of the straight line from child 1 to child 2"
    chart = LineChart(caption, across, _HEIGHT, series, references=[Reference("half", 50.0)], form="{:.1f}")
    return {caption: draw_line_chart(chart)}


def _table(scenes: Sequence[Scene]) -> ResultTable:
    rows = [(scene, name, heights) for scene in scenes for name, heights in scene.heights.items()]
    ends = [heights.at(scene.ends) for scene, _, heights in rows]
    lowest = [float(np.nanmin(heights.along(*scene.ends))) for scene, _, heights in rows]

    def column(name: str, title: str, cells: Sequence[float], form: str = "{:.1f}") -> Column:
        return Column(name, title, cells, form)

    return ResultTable(
        "landscape",
        "Where children of one search end, and what lies between",
        [
            Column("searches", "searches", [scene.label for scene, *_ in rows]),
            Column("measure", "measure", [name for _, name, _ in rows]),
            Column("at", "parted after", [scene.at for scene, *_ in rows], "{:,}"),
            column("one", "child 1", [float(own[0]) for own in ends]),
            column("other", "child 2", [float(own[1]) for own in ends]),
            column("lowest", "lowest between", lowest),
            column("barrier", "barrier", [float(min(own)) - low for own, low in zip(ends, lowest, strict=True)]),
            column("missing", "without a number", [heights.missing for *_, heights in rows], "{:,}"),
        ],
        [
            "After Chen et al. 2021 (TEG-NAS), Fig. 4. Heights: share of the architectures visited by both that are "
            "worse by this measure, in percent, at the last architecture of each child and on the straight line "
            "between these on the plane. Barrier: how far that line drops below the lower end."
        ],
    )
