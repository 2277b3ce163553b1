"""Privacy: whether a model tells who was in its training data, and whether what ships is training data.

Knows losses, vectors and who was a member; no network and no file.
"""

from linnet.introspect.privacy.extraction import extraction
from linnet.introspect.privacy.membership import losses_of, membership
from linnet.introspect.privacy.traces import traces

__all__ = ["extraction", "losses_of", "membership", "traces"]
