"""Cost: what every layer of a file does, what this machine should take for it, and what it took.

Knows ONNX files, the engine's profile and the processor; knows no torch, no training, and not how a file was made.
"""

from linnet.cost.counting import Layer
from linnet.cost.machine import Machine, machine
from linnet.cost.memory import Moment, over_layers, over_time
from linnet.cost.predict import Cost, predict
from linnet.cost.profiling import layers

__all__ = ["Cost", "Layer", "Machine", "Moment", "layers", "machine", "over_layers", "over_time", "predict"]
