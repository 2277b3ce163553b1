"""The same thing twice: near duplicates of vectors, sounds, images and texts, and what is in two parts of a split.

It knows no network: vectors may be pixels, descriptors or embeddings, as the caller likes. It takes nothing out.
"""

from linnet.introspect.duplicates.leakage import leakage
from linnet.introspect.duplicates.near import near_duplicates

__all__ = ["leakage", "near_duplicates"]
