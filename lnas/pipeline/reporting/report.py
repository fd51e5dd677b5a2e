"""`lnas report`: the pages and tables of a folder made again from its store, without data, training or benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lnas.benchmarks import Scores
from lnas.errors import RunError, UsageError, complaint
from lnas.pipeline.display import Display
from lnas.pipeline.reporting.contents import Content
from lnas.pipeline.reporting.pages import kept_pages
from lnas.pipeline.result_pages import write_results
from lnas.report import RunReport
from lnas.store import exclusive, write_whole

_STORE = "store.sqlite"


def report(store: str, output: str | None = None, quiet: bool = False) -> list[Path]:
    """Make the pages and tables of a folder again from its store alone: no data set, no GPU, no benchmark, no training.

    STORE is an output folder of `lnas run`, `score`, `search`, `supernet`, `retrain` or `study`, or the store.sqlite in
    it. Every page, table and figure comes out as the command wrote it; what the command keeps in files besides, such as
    weights or parquet files of single evaluations, does not.

    Args:
        store: The folder, or its store.
        output: Where they are written; beside the store if not given.
        quiet: Print errors only.

    Returns:
        The pages, or tables where there is no page, that were written.

    Raises:
        UsageError: If there is no store.
        RunError: If it keeps no page, since no run in it came to its end, or OUTPUT cannot be written.
    """
    display = Display(quiet)
    given = Path(store)
    file = given / _STORE if given.is_dir() else given
    if not file.is_file():
        step = "Name a folder that `lnas run | score | search | supernet | retrain | study` wrote."
        raise UsageError(complaint(f"store={store!r}", "a folder with a store", "none there", step))
    contents = kept_pages(file)
    _require_names(contents, file)
    folder = file.parent if output is None else Path(output)
    with exclusive(folder):
        written = [path for name, content in contents.items() for path in _write(content, folder, name)]
    for path in written:
        display.say(f"Written: {path}")
    return written


def _require_names(contents: Mapping[str, Content], file: Path) -> None:
    """Raise `RunError` where a store names a page or a table by a path, which would be written elsewhere."""
    tables = [table.name for content in contents.values() for table in getattr(content, "tables", ())]
    for name in [*contents, *tables]:
        if Path(name).name != name:
            expected, step = "pages and tables with plain names", "Do not trust this store."
            raise RunError(complaint(f"store {str(file)!r}", expected, name, step))


def _write(content: Content, folder: Path, name: str) -> list[Path]:
    """Write what belongs to one page; return what people would open."""
    if isinstance(content, Scores):
        write_whole(folder / f"{name}.parquet", content.to_parquet())
        write_whole(folder / f"{name}.csv", content.to_csv())
        return [folder / f"{name}.parquet", folder / f"{name}.csv"]
    if isinstance(content, RunReport):
        from lnas.report.page import render_page  # brings plotly

        write_whole(folder / name, render_page(content).encode())
    else:
        write_results(content, folder, name)
    return [folder / name]
