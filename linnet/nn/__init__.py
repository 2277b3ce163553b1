"""Networks: the Model value, its front end and layers, and the zoo.

Knows the shapes that a task asks for; knows no training and no file that ships.
"""

from linnet.nn import attribution, frontend, soft, zoo
from linnet.nn.capture import Captured, capture
from linnet.nn.channels import dependencies_of, remove_channels
from linnet.nn.encoding import Encoding
from linnet.nn.frontend import LogMel
from linnet.nn.groupnorm import with_group_norm
from linnet.nn.layers import fold_normalisation
from linnet.nn.model import Model
from linnet.nn.own import limits, own
from linnet.nn.skipping import removable_blocks, remove_blocks
from linnet.nn.storage import load, save
from linnet.nn.transfer import transfer
from linnet.nn.zoo import FAMILIES, build

__all__ = ["FAMILIES", "Captured", "Encoding", "LogMel", "Model", "attribution", "build", "capture",
           "dependencies_of", "fold_normalisation", "frontend", "limits", "load", "own", "removable_blocks",
           "remove_blocks", "remove_channels", "save", "soft", "transfer", "with_group_norm", "zoo"]
