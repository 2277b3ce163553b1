"""Linnet: small models that see and hear; the file that ships carries its proof.

Import the rooms that you need (`from linnet import data, tasks, train`). Importing this package loads none of them.
"""

import os

# Official onnxruntime builds report to their maker unless this is set before they are first imported. Nothing leaves
# the machine unasked; who wants it may set 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
