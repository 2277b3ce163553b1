"""Grammars: templates of what may be said, compiled to an acceptor, and what an accepted text means.

`read` takes templates, a line each; `sentences` a plain list. A grammar knows words, intents and slots; it knows no
pronunciation and no sound.
"""

from linnet.language.grammar.acceptor import Acceptor
from linnet.language.grammar.grammar import Grammar, read, sentences
from linnet.language.grammar.meaning import Meaning
from linnet.language.grammar.templates import GrammarError

__all__ = ["Acceptor", "Grammar", "GrammarError", "Meaning", "read", "sentences"]
