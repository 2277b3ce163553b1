"""scikit-learn, by skl2onnx: estimators and pipelines over rows of numbers, or over raw texts.

A classifier is trained on `task.prepare(...)` and the labels as texts (or `task.targets`), a regressor on
`task.targets`. Arrays of more than one axis are flattened to rows.

Two things of a text vectorizer skl2onnx writes otherwise than scikit-learn computes them, and are mended here: what a
word is (`token_pattern`), and the logarithm of repeated words (`sublinear_tf`: 1 + log(count)).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from linnet.errors import LinnetError
from linnet.export.adapters.foreign import (
    Foreign,
    Scale,
    both_columns,
    converting,
    label_order,
    one_label,
    row_size,
    rows_of_numbers,
)
from linnet.export.adapters.wiring import wire
from linnet.tasks import Arrays, Task

log = logging.getLogger("linnet")
OPSETS = {"": 18, "ai.onnx.ml": 3}
_LETTERS = r"\pL\pN_"
"""What Python's \\w matches, for the engine's regular expressions."""


def foreign(source: Any, task: Task) -> Foreign:
    """The estimator as a graph. Raises LinnetError where skl2onnx has no converter for a part of it."""
    what = described(source)
    with converting(what, "sklearn"):
        import sklearn
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(source)
    is_classifier = hasattr(source, "classes_")
    if task.kind != "regress" or is_classifier:
        one_label(task, what)
    scale: Scale = "probabilities" if is_classifier and hasattr(source, "predict_proba") else "scores"
    with converting(what, "skl2onnx"):
        graph = _converted(source, task, scale)
    order = label_order(task, source.classes_, what) if is_classifier else None
    output = graph.graph.output[-1].name
    _mend(graph, list(_vectorizers(source)))
    wired = wire(graph, task, output=output, scale=scale, order=order)

    def answers(arrays: Arrays) -> NDArray[Any]:
        rows = list(arrays["text"]) if "text" in arrays else rows_of_numbers(arrays)
        if not is_classifier:
            return np.asarray(source.predict(rows)).reshape(len(rows), -1)
        said = source.predict_proba(rows) if scale == "probabilities" else source.decision_function(rows)
        return both_columns(np.asarray(said), scale)[:, order]

    return Foreign("scikit-learn", sklearn.__version__, what, wired, answers, scale)


def described(source: Any) -> str:
    """The classes by name: "Pipeline(TfidfVectorizer, LinearSVC)"."""
    steps = ", ".join(described(step) for step in _parts(source))
    return f"{type(source).__name__}({steps})" if steps else type(source).__name__


def _converted(source: Any, task: Task, scale: Scale) -> onnx.ModelProto:
    """The graph, with the scores that the source itself gives; not every converter knows every option."""
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    name, what = next(iter(task.arrays)), described(source)
    kind = StringTensorType([None, 1]) if name == "text" else FloatTensorType([None, row_size(task, what)])
    texts = {id(part): {"tokenexp": expression(part.token_pattern)} for part in _vectorizers(source)
             if part.analyzer == "word"}
    last = source.steps[-1][1] if hasattr(source, "steps") else source
    raw = {"raw_scores": True} if scale == "scores" else {}
    tries: list[dict[str, Any]] = [{"zipmap": False, **raw}, raw, {}]
    for options in tries:
        try:
            made = skl2onnx.to_onnx(source, initial_types=[(name, kind)], target_opset=OPSETS,
                                    options={**texts, **({id(last): options} if options else {})})
            return made if isinstance(made, onnx.ModelProto) else onnx.load_from_string(made.SerializeToString())
        except NameError:  # what skl2onnx raises for an option that the converter has not
            if not options:
                raise
    raise AssertionError("the last try has no options")


def expression(pattern: str) -> str:
    r"""scikit-learn's `token_pattern` for the engine, which knows no Unicode flag, and other letters than Python.

    >>> expression(r"(?u)\b\w\w+\b"), expression("[a-z']+")
    ('[\\pL\\pN_][\\pL\\pN_]+', "[a-z']+")
    """
    bare = pattern.replace("(?u)", "")
    whole = re.fullmatch(r"\\b((?:\\w|[+{},\d])+)\\b", bare)
    inside = re.sub(r"\[[^\]]*\]", lambda group: group[0].replace(r"\w", _LETTERS), whole[1] if whole else bare)
    return re.sub(r"\\w", lambda _: f"[{_LETTERS}]", inside)


def _vectorizers(source: Any) -> Iterator[Any]:
    """The text vectorizers in a pipeline, a union or a search, at any depth."""
    if hasattr(source, "token_pattern"):
        yield source
    for part in _parts(source):
        yield from _vectorizers(part)


def _parts(source: Any) -> list[Any]:
    """The steps of a pipeline, the members of a union, what a search found best."""
    named = [*getattr(source, "steps", ()), *getattr(source, "transformer_list", ())]
    best = getattr(source, "best_estimator_", None)
    return [part for _, part in named] + ([] if best is None else [best])


def _mend(graph: onnx.ModelProto, vectorizers: list[Any]) -> None:
    """Count repeated words as scikit-learn does, and lower letters without a language pack of the machine."""
    for node in graph.graph.node:
        if node.op_type == "StringNormalizer" and not any(one.name == "locale" for one in node.attribute):
            node.attribute.append(helper.make_attribute("locale", "C"))
    if any(vectorizer.sublinear_tf for vectorizer in vectorizers if hasattr(vectorizer, "sublinear_tf")):
        _mend_logarithm(graph.graph)
    beyond = sorted({term for vectorizer in vectorizers for term in vectorizer.vocabulary_ if not term.isascii()})
    if beyond and any(vectorizer.lowercase for vectorizer in vectorizers):
        log.warning("%d terms have letters beyond a to z, such as '%s': in the file only A to Z become small letters; "
                    "give texts in small letters.", len(beyond), beyond[0])


def _mend_logarithm(graph: onnx.GraphProto) -> None:
    """log(count + 1) becomes log(max(count, 1)) + min(count, 1): 1 + log(count), and 0 where the word is not there."""
    counts = {name for node in graph.node if node.op_type == "TfIdfVectorizer" for name in node.output}
    adds = {node.output[0]: node for node in graph.node if node.op_type == "Add" and counts.intersection(node.input)}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "Log" and node.input[0] in adds:
            (count,) = counts.intersection(adds[node.input[0]].input)
            name = f"{node.output[0]}/mended"
            if not any(tensor.name == "mended/one" for tensor in graph.initializer):
                graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "mended/one"))
            nodes += [helper.make_node("Max", [count, "mended/one"], [f"{name}/most"]),
                      helper.make_node("Log", [f"{name}/most"], [f"{name}/log"]),
                      helper.make_node("Min", [count, "mended/one"], [f"{name}/least"]),
                      helper.make_node("Add", [f"{name}/log", f"{name}/least"], [node.output[0]])]
        else:
            nodes.append(node)
    if len(nodes) == len(graph.node):
        raise LinnetError("the graph of this text vectorizer is not as expected: sublinear_tf cannot be mended. "
                          "Train it with sublinear_tf=False.")
    del graph.node[:]
    graph.node.extend(nodes)
