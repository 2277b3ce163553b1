"""What a run found, as a sentence, as text for the terminal, and as one self-contained HTML file.

Knows claims, scores, findings, benches and cards; knows neither recipes nor networks, and computes no claim of its own.
"""

from __future__ import annotations

from linnet.report import comparison, experiment, methods, rehearsal
from linnet.report.comparison_page import write_page, write_picture
from linnet.report.comparison_paper import latex, write_latex
from linnet.report.contents import Contents
from linnet.report.experiment_charts import checked_picture, write_experiment_picture
from linnet.report.experiment_page import write_experiment
from linnet.report.page import write
from linnet.report.terminal import text
from linnet.report.words import summary

__all__ = ["Contents", "checked_picture", "comparison", "experiment", "latex", "methods", "rehearsal", "summary",
           "text", "write", "write_experiment", "write_experiment_picture", "write_latex", "write_page",
           "write_picture"]
