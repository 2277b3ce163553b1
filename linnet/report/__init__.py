"""What a run found, as a sentence, as text for the terminal, and as one self-contained HTML file.

Knows claims, scores, findings, benches and cards; knows neither recipes nor networks, and computes no claim of its own.
"""

from __future__ import annotations

from linnet.report.contents import Contents
from linnet.report.page import write
from linnet.report.terminal import text
from linnet.report.words import summary

__all__ = ["Contents", "summary", "text", "write"]
