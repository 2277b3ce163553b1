"""pack: every tensor of a graph in the smallest form that gives the very same values back."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper

from linnet.export.compact import compact
from linnet.export.packing import vectors
from linnet.export.packing.forms import Form, Values, forms
from linnet.export.packing.palettes import Scaled
from linnet.export.packing.writing import Writing

_TYPES = (onnx.TensorProto.FLOAT, onnx.TensorProto.INT8, onnx.TensorProto.UINT8, onnx.TensorProto.INT32)
_LEAST_BYTES = 192
"""Smaller tensors cannot win: undoing takes operators."""
_SHAPING_BYTES = 60
_SIGN_BYTES = 100


def pack(graph: onnx.ModelProto, scaled: Mapping[str, Scaled]) -> tuple[onnx.ModelProto, Counter[str]]:
    """A copy that stores repeating weights small, and how many tensors took which form.

    Engines undo it once, when they load the file: all of it hangs on constants. `scaled` is what `find` and `on_grids`
    said. A graph that would not become smaller is given back as it was.
    """
    small = onnx.ModelProto()
    small.CopyFrom(graph)
    writing, taken = Writing(), Counter[str]()
    packed, products = vectors.store(small.graph, writing)
    for tensor in small.graph.initializer:
        if tensor.name not in packed and tensor.data_type in _TYPES and tensor.ByteSize() >= _LEAST_BYTES:
            form = _packed(tensor, scaled.get(tensor.name), writing)
            if form is not None:
                taken[form.name] += 1
                packed.add(tensor.name)
    for name, factors in products.items():
        writing.node("Mul", factors, name)
    kept = [tensor for tensor in small.graph.initializer if tensor.name not in packed]
    del small.graph.initializer[:]
    small.graph.initializer.extend(kept)
    writing.into(small.graph)
    if compact(small).ByteSize() >= compact(graph).ByteSize():  # a small network pays more to undo than it saves
        return graph, Counter()
    return small, taken


def _packed(tensor: onnx.TensorProto, scaled: Scaled | None, writing: Writing) -> Form | None:
    """Write the tensor in its smallest form; None where that is the form it has."""
    values: Values = numpy_helper.to_array(tensor)
    channels = None if scaled is None else scaled.channels
    plain, plain_bytes = _smallest(values)
    form, size = (plain, plain_bytes) if scaled is None else _smallest(scaled.values)
    if channels is not None:
        size += channels.nbytes + (_SIGN_BYTES if values.dtype == np.int8 else 0)
    if plain_bytes <= size:
        form, size, channels = plain, plain_bytes, None
    if form is None or size + _SHAPING_BYTES >= tensor.ByteSize():
        return None
    row = form.write(writing)
    if channels is None and values.ndim == 1:
        writing.node("Identity", [row], tensor.name)
        return form
    shaped = [row, writing.constant(np.array(values.shape, np.int64))]
    if channels is None:
        writing.node("Reshape", shaped, tensor.name)
    else:
        _multiply(writing.node("Reshape", shaped), channels, tensor, writing)
    return form


def _smallest(values: Values) -> tuple[Form | None, float]:
    form = min(forms(values), key=lambda form: form.bytes, default=None)
    return form, math.inf if form is None else form.bytes


def _multiply(values: str, channels: Values, tensor: onnx.TensorProto, writing: Writing) -> None:
    """Numbers of 8 bits have no product in most engines: they pass through float, which holds them all."""
    stored = writing.constant(channels)
    if tensor.data_type == onnx.TensorProto.FLOAT:
        writing.node("Mul", [values, stored], tensor.name)
        return
    wide = [writing.node("Cast", [name], to=onnx.TensorProto.FLOAT) for name in (values, stored)]
    writing.node("Cast", [writing.node("Mul", wide)], tensor.name, to=tensor.data_type)
