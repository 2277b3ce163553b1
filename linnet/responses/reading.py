"""Where in a text something is wrong: line and column, and the line itself with a mark under it."""

from __future__ import annotations

from linnet.errors import LinnetError


def fault(text: str, position: int, what: str, said: str) -> LinnetError:
    """The error for the character at `position` of `text`, which is a `what` ("template").

    >>> print(fault("Hello {nme", 10, "template", "'{' is never closed"))
    this template cannot be read, line 1, column 11: '{' is never closed
      Hello {nme
                ^
    """
    before = text[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    shown = text.split("\n")[line - 1]
    return LinnetError(f"this {what} cannot be read, line {line}, column {column}: {said}\n  {shown}\n  "
                       f"{' ' * (column - 1)}^")
