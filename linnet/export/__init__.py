"""From a model to the file that ships: write it, check it against its source, and prove claims about it.

Knows networks and files; knows no training and nothing of how a model was made smaller.
"""

from linnet.export.adopt import adopt
from linnet.export.parity import parity
from linnet.export.prove import counted, prove
from linnet.export.ptq import quantize_file
from linnet.export.realised import realised
from linnet.export.write import draft, write

__all__ = ["adopt", "counted", "draft", "parity", "prove", "quantize_file", "realised", "write"]
