"""What is said back: texts from templates, and speech from texts.

This room knows no model: engines that speak are adapters, one file each. A `Template` is filled in, a `Voice` says it.
"""

from linnet.responses.book import Book, book
from linnet.responses.cache import Cache
from linnet.responses.espeak import Espeak
from linnet.responses.piper import Piper
from linnet.responses.ssml import Piece, pieces
from linnet.responses.template import Template, template
from linnet.responses.voice import Voice, say, sound_of, write

__all__ = ["Book", "Cache", "Espeak", "Piece", "Piper", "Template", "Voice", "book", "pieces", "say", "sound_of",
           "template", "write"]
