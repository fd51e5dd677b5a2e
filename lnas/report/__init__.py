"""The single-file HTML report of a run: its content here, its page in `lnas.report.page`, which imports plotly."""

from lnas.report.report import (
    Agreement,
    RankedCandidate,
    RetrainedPick,
    RunReport,
    TruthComparison,
    number,
    percent,
)

__all__ = [
    "Agreement",
    "RankedCandidate",
    "RetrainedPick",
    "RunReport",
    "TruthComparison",
    "number",
    "percent",
]
