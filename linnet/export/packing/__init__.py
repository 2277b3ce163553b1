"""Stored small: palettes, zeros that are left out and short vectors, undone by the graph itself at load.

Every engine that runs ONNX can read such a file: what undoes the packing are operators on constants, which engines
fold at load, so that the packed file runs as the plain one does. Knows tensors; chooses nothing that changes a value.
"""

from linnet.export.packing.grids import on_grids
from linnet.export.packing.pack import pack
from linnet.export.packing.palettes import Scaled, find

__all__ = ["Scaled", "find", "on_grids", "pack"]
