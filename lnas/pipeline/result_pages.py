"""Results on disk: a page, and its tables and figures as files of their own."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

from lnas.pipeline.reporting.pages import keep_page
from lnas.report.study import StudyReport, render_study
from lnas.store import write_whole

_UNFIT = r"[^\w.,%'()@+=~-]+"  # for the name of a file


def write_results(report: StudyReport, folder: Path, page: str) -> None:
    """Write the page, each table as .parquet, .csv and .md, and each figure as .svg; a store there keeps them, too."""
    for table in report.tables:
        write_whole(folder / f"{table.name}.parquet", table.to_parquet())
        write_whole(folder / f"{table.name}.csv", table.to_csv())
        write_whole(folder / f"{table.name}.md", table.to_markdown())
    for caption, figure in chain(report.figures.items(), *(beside.items() for beside in report.sections.values())):
        write_whole(folder / f"{re.sub(_UNFIT, '-', caption).strip('-')}.svg", figure.encode())
    write_whole(folder / page, render_study(report).encode())
    keep_page(folder, page, report)
