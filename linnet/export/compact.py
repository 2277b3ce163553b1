"""Make an ONNX file small without changing what it computes: short names, no defaults, no notes of its making."""

from __future__ import annotations

from itertools import count
from string import ascii_letters

import onnx

_DEFAULTS = {"auto_pad": b"NOTSET", "dilations": [1, 1], "group": 1, "ceil_mode": 0, "storage_order": 0}


def compact(graph: onnx.ModelProto, *, keep: tuple[str, ...] = ()) -> onnx.ModelProto:
    """A copy with short value names (those in `keep`, inputs and outputs stay), and without notes of its making."""
    small = onnx.ModelProto()
    small.CopyFrom(graph)
    _drop_unused(small.graph)
    _rename(small.graph, {*keep, *(value.name for value in (*small.graph.input, *small.graph.output))})
    _strip(small)
    return small


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _rename(graph: onnx.GraphProto, keep: set[str]) -> None:
    """Name the values in the order in which they occur."""
    names = {name: name for name in ("", *keep)}
    fresh = (name for name in map(_name, count()) if name not in keep)
    for part in (*graph.node, *graph.initializer):
        for place in ((part.input, part.output) if isinstance(part, onnx.NodeProto) else ([part.name],)):
            for name in place:
                if name not in names:
                    names[name] = next(fresh)
    for node in graph.node:
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]


def _name(number: int) -> str:
    """a, b, ..., Z, aa, ba, ...: every reference to a value repeats its name.

    >>> [_name(number) for number in (0, 51, 52, 53)]
    ['a', 'Z', 'aa', 'ba']
    """
    name = ""
    while number >= 0:
        number, letter = divmod(number, len(ascii_letters))
        name, number = name + ascii_letters[letter], number - 1
    return name


def _strip(graph: onnx.ModelProto) -> None:
    """Drop what viewers can do without; the network's nodes keep their names, the quantizer's only repeat others."""
    for node in graph.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node.ClearField("name")
        kept = [attribute for attribute in node.attribute if not _is_default(attribute)]
        del node.attribute[:]
        node.attribute.extend(kept)
    for field in ("producer_version", "doc_string", "domain"):
        graph.ClearField(field)
    graph.producer_name, graph.graph.name = "linnet", "linnet"
    inner = graph.graph
    for part in (graph, inner, *inner.node, *inner.initializer, *inner.input, *inner.output):
        part.ClearField("doc_string")
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
    del graph.graph.value_info[:]
    del graph.graph.quantization_annotation[:]


def _is_default(attribute: onnx.AttributeProto) -> bool:
    """Settings of convolutions and pools that ONNX assumes when they are not there."""
    return attribute.name in _DEFAULTS and onnx.helper.get_attribute_value(attribute) == _DEFAULTS[attribute.name]
