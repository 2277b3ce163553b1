"""How many samples it takes to decide, before anything is trained or shown to anybody."""

from linnet.evidence.power.needed import smallest

__all__ = ["smallest"]
