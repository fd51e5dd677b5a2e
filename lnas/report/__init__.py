"""The single-file HTML report of a run: its content here, its page in `lnas.report.page`, which imports plotly."""

from lnas.report.report import RankedCandidate, RetrainedPick, RunReport, number, percent

__all__ = ["RankedCandidate", "RetrainedPick", "RunReport", "number", "percent"]
