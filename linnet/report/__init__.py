"""What a run found, as a sentence, as text for the terminal, and as one self-contained HTML file.

Knows claims, scores, findings, benches and cards; knows neither recipes nor networks, and computes no claim of its own.
"""

from __future__ import annotations

from linnet.report import comparison
from linnet.report.comparison_page import write_page, write_picture
from linnet.report.comparison_paper import latex, write_latex
from linnet.report.contents import Contents
from linnet.report.page import write
from linnet.report.terminal import text
from linnet.report.words import summary

__all__ = ["Contents", "comparison", "latex", "summary", "text", "write", "write_latex", "write_page",
           "write_picture"]
