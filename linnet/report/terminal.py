"""The report in a few lines, for a terminal."""

from __future__ import annotations

from textwrap import fill

from linnet.report import plain
from linnet.report.contents import Contents
from linnet.report.verdicts import MARKS, SAID, asked, found
from linnet.report.words import summary

_WIDTH = 96


def text(contents: Contents) -> str:
    """The sentence, a line or two a claim, what it does not say, what it costs, and how to check it."""
    parts = [fill(summary(contents), _WIDTH)]
    if contents.claims:
        parts.append("\n".join(f"{MARKS[claim.verdict]} {SAID[claim.verdict]:<9}  {asked(claim)}\n"
                               f"{fill(found(claim), _WIDTH, initial_indent=' ' * 13, subsequent_indent=' ' * 13)}"
                               for claim in contents.claims))
    blocks = {"What this does not say": plain.limits(contents), "What it costs": plain.costs(contents)}
    for title, sentences in blocks.items():
        lines = [fill(said, _WIDTH, initial_indent="  ", subsequent_indent="  ") for said in sentences]
        parts += ["\n".join([title, *lines])] if lines else []
    if contents.verify_command:
        parts.append(f"Check it: {contents.verify_command}")
    return "\n\n".join(parts)
