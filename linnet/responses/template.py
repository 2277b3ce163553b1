"""Templates: what a response says, with values, plurals, choices, numbers and dates by the rules of its language.

The notation is a part of ICU's MessageFormat, which translators and their tools know. What is wrong with a template is
said when it is read, with line and column; what is wrong with the values, when it is filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from linnet.errors import LinnetError, unknown
from linnet.responses import values
from linnet.responses.parsing import Choice, Node, Slot, parse

Write = Callable[[Any], str]


@dataclass(frozen=True)
class Template:
    """One response in one language, ready to be filled in."""

    text: str
    locale: str
    nodes: tuple[Node, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that the template asks for, in the order of the alphabet."""
        return tuple(sorted(_names(self.nodes)))

    def fill(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> str:
        """The text with these values, as plain text. Raises LinnetError for a value that lacks, or is not asked for.

        >>> unread = template("{count, plural, =0 {Nothing new} one {# message} other {# messages}}, {name}.")
        >>> unread.fill(count=1200, name="Ann"), unread.fill(count=1, name="Bo")
        ('1,200 messages, Ann.', '1 message, Bo.')
        """
        return self._filled({**(given or {}), **more}, str)

    def fill_ssml(self, given: Mapping[str, Any] | None = None, /, **more: Any) -> str:
        """The same for a template of SSML: values are escaped, so that no value can bring markup of its own.

        >>> template("<speak>Hello, {name}</speak>").fill_ssml(name="A & <break/>")
        '<speak>Hello, A &amp; &lt;break/&gt;</speak>'
        """
        return self._filled({**(given or {}), **more}, escape)

    def _filled(self, given: Mapping[str, Any], write: Write) -> str:
        asked = self.variables
        missing = [name for name in asked if name not in given]
        if missing:
            raise LinnetError(f"the template lacks a value for {', '.join(missing)}; it asks for {', '.join(asked)}, "
                              f"got {', '.join(sorted(given)) or 'none'}.")
        for name in given:
            if name not in asked:
                raise unknown("value of the template", name, asked)
        return _write(self.nodes, given, self.locale, write, None)


def template(text: str, locale: str = "en") -> Template:
    """Read a template; raises LinnetError with line and column where it is wrong.

    `{name}` is a value; `{n, number}`, `{p, number, percent}`, `{n, number, integer}` a number;
    `{a, currency, EUR}` an amount; `{d, date, long}`, `{t, time, short}` (short, medium, long, full); `{l, list}`,
    `{l, list, or}` a list. `{n, plural, =0 {none} one {# day} other {# days}}` chooses by number, `selectordinal` by
    rank (1st, 2nd), `{g, select, f {she} other {they}}` by word; `#` is the number. A brace is written '{', an
    apostrophe ''.
    """
    from linnet.responses.locales import check_locale

    return Template(text, check_locale(locale), parse(text, locale))


def _names(nodes: tuple[Node, ...]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, Slot | Choice) and node.name != "#":
            found.add(node.name)
        if isinstance(node, Choice):
            found |= {name for branch in node.branches.values() for name in _names(branch)}
    return found


def _write(nodes: tuple[Node, ...], given: Mapping[str, Any], locale: str, write: Write, number: Any) -> str:
    parts = []
    for node in nodes:
        if isinstance(node, str):
            parts.append(node)
        elif isinstance(node, Slot):
            parts.append(write(values.written(node, number if node.name == "#" else given[node.name], locale)))
        else:
            value = given[node.name]
            branch = node.branches[values.chosen(node, value, locale)]
            parts.append(_write(branch, given, locale, write, number if node.kind == "select" else value))
    return "".join(parts)
