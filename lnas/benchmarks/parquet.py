"""Reading parquet into arrays, with one clear error for a file that is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lnas.benchmarks.plain_files import require_file
from lnas.errors import UsageError, complaint

if TYPE_CHECKING:
    import pyarrow as pa


def read_columns(path: Path, without: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return the columns of a file by name; a missing number is NaN, a list column is two-dimensional.

    Args:
        path: The file.
        without: Columns that are not read.

    Raises:
        UsageError: If there is no such file, it is no parquet or damaged, or two columns have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_file(path, "a parquet file")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = [name for name in file.schema_arrow.names if name not in set(without)]
            _require_each_once(path, names)
            table = file.read(columns=names, use_threads=False)
        return {name: _array(table.column(name)) for name in names}
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _not_parquet(path, error) from error


def read_note(path: Path) -> dict[str, str]:
    """Return the texts that a file's writer left in its metadata.

    Raises:
        UsageError: As `read_columns`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_file(path, "a parquet file")
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.schema_arrow.metadata or {}
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _not_parquet(path, error) from error
    return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in metadata.items()}


def _require_each_once(path: Path, names: Sequence[str]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        step = "Fetch or make it again."
        raise UsageError(complaint(f"benchmark file {str(path)!r}", "each column once", repeated, step))


def _not_parquet(path: Path, error: Exception) -> UsageError:
    reason = " ".join(str(error).split())
    return UsageError(complaint(f"benchmark file {str(path)!r}", "whole parquet", reason, "Fetch or make it again."))


def _array(column: pa.ChunkedArray) -> np.ndarray:
    import pyarrow as pa

    if not pa.types.is_fixed_size_list(column.type):
        return column.to_numpy()
    lists = column.combine_chunks()
    given = lists.flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)
    if not lists.null_count:
        return given
    values = np.full((len(lists), column.type.list_size), np.nan)
    values[lists.is_valid().to_numpy(zero_copy_only=False)] = given
    return values
