"""Tables for a paper, in the style of booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_ESCAPED = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
            "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
            ">": r"\textgreater{}"}


def escape(text: str) -> str:
    r"""Text as LaTeX shows it.

    >>> print(escape("my_net 95 %"))
    my\_net 95 \%
    """
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


def booktabs(head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str, label: str) -> str:
    r"""A table of cells that are LaTeX already, the first column set left, the others right.

    The document needs \usepackage{booktabs}.
    """
    return "\n".join([
        r"% \usepackage{booktabs}", r"\begin{table}[t]", r"\centering", rf"\caption{{{caption}}}",
        rf"\label{{{label}}}", rf"\begin{{tabular}}{{@{{}}l{'r' * (len(head) - 1)}@{{}}}}", r"\toprule",
        " & ".join(head) + r" \\", r"\midrule", *(" & ".join(row) + r" \\" for row in rows), r"\bottomrule",
        r"\end{tabular}", r"\end{table}", ""])
