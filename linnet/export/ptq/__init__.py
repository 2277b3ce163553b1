"""Post-training quantization of any ONNX graph: ranges from samples, weights rounded well, QDQ where 8 bits are meant.

Knows graphs and arrays; knows nothing of how a network was trained, and no plan.
"""

from linnet.export.ptq.file import quantize_file
from linnet.export.ptq.layers import nodes_under
from linnet.export.ptq.quantize import quantize

__all__ = ["nodes_under", "quantize", "quantize_file"]
