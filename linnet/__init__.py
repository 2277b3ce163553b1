"""Linnet: small models that see and hear; the file that ships carries its proof.

Import the rooms that you need (`from linnet import data, tasks, train`). Importing this package loads none of them.
"""

__version__ = "0.1.0"
