"""Many questions at once: who asks twenty is misled by one of them, unless it is reckoned with."""

from linnet.evidence.many.against import Difference, Seeds, averaged_difference, compare
from linnet.evidence.many.corrections import holm

__all__ = ["Difference", "Seeds", "averaged_difference", "compare", "holm"]
