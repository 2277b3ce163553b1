"""Write the table of corpora in docs/data.md from their cards: python docs/make_data.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

from linnet.data import SOURCES, Card

PAGE = Path(__file__).with_name("data.md")
BEGIN, END = "<!-- corpora -->\n", "<!-- end -->\n"


def corpora() -> str:
    """A table of every corpus, and below it what is to be known of each."""
    cards = [source.card for source in SOURCES.values()]
    rows = [f"| [{card.name}]({card.homepage}) | {card.rows:,} | {card.size_bytes / 1e6:,.1f} | {card.licence} | "
            f"{bringing(card)} |" for card in cards]
    table = ["| corpus | rows | MB | licence | `data get` |", "|---|---|---|---|---|", *rows]
    return "\n".join([*table, "", *(section(card) for card in cards)])


def bringing(card: Card) -> str:
    """How the corpus comes to a machine."""
    here = "comes with scikit-learn" if "scikit-learn" in card.summary else "no: read where it lies"
    return "downloads it" if card.files else here


def section(card: Card) -> str:
    """What one card says."""
    columns = ", ".join(name if name == kind else f"{name} ({kind.replace(' (', ': ').rstrip(')')})"
                        for name, kind in card.columns.items())
    facts = [f"**Columns** {columns}", *(f"`{name}` {said}" for name, said in card.options.items()), *card.notes,
             f"**Cite** {card.citation}"]
    return f"### {card.name}\n\n{card.summary}.\n\n" + "\n".join(f"- {fact}" for fact in facts) + "\n"


def page() -> str:
    """The whole page, with the generated part anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{corpora()}\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        print("docs/data.md is not what the cards say; run: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
