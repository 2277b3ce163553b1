"""What was said before as part of the text, for any model of texts."""

from __future__ import annotations

from collections.abc import Sequence

from linnet.errors import LinnetError

_MARKS = {"prompt": "\u203a", "turn": "\u2039"}
"""Before each word of the bot's prompt, and of what the person said earlier."""


def in_context(text: str, *, prompt: str = "", turns: Sequence[str] = (), words: int = 12) -> str:
    """The text with the bot's last prompt and the person's earlier turns before it, at most `words` words of each.

    Each such word is marked, so that "book" in a prompt is another word than "book" in the answer, also for a bag that
    knows no order; the text itself stays last and whole. Prompts are kept at their ends, where their questions stand. A
    model must be trained on texts made in the same way.

    >>> in_context("yes", prompt="shall i book it")
    '›shall ›i ›book ›it yes'
    """
    given = [("turn", turn) for turn in turns] + [("prompt", prompt)]
    for _, said in (*given, ("text", text)):
        if not isinstance(said, str):
            raise LinnetError(f"prompts and turns are texts; got {type(said).__name__}.")
    if isinstance(turns, str):
        raise LinnetError("turns is a list of texts, the earliest first; got one text.")
    marked = [_MARKS[kind] + word for kind, said in given for word in said.split()[-words:]]
    return " ".join([*marked, text.strip()]).strip()
