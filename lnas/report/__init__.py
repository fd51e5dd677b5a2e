"""The single-file HTML report of a run."""

from lnas.report.page import percent, render_page
from lnas.report.report import RankedCandidate, RetrainedPick, RunReport

__all__ = ["RankedCandidate", "RetrainedPick", "RunReport", "percent", "render_page"]
