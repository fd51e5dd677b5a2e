"""Ground truth with provenance: benchmarks as tables, and the surrogates that stand in for one. Torch-free."""

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Benchmark, Card
from lnas.benchmarks.catalogue import load_benchmark
from lnas.benchmarks.scores import Scores, load_scores
from lnas.benchmarks.table_file import read_table, write_table
from lnas.benchmarks.tabular import Column, TabularBenchmark

__all__ = [
    "MEAN",
    "AccuracyKey",
    "Benchmark",
    "Card",
    "Column",
    "Scores",
    "TabularBenchmark",
    "load_benchmark",
    "load_scores",
    "read_table",
    "write_table",
]
