"""Columns of records as parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any


def columns_parquet(columns: Mapping[str, Any]) -> bytes:
    """Return a file of columns, name -> a value for each row; None and NaN become null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()
