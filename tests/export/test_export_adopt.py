from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx_files import digits_bytes, tones_bytes, with_external_weights

from linnet import data, evidence, export, runtime, tasks
from linnet.data.media import encode
from linnet.errors import LinnetError
from linnet.runtime.engines import start


class Halves(torch.nn.Module):
    """Images (batch, 8, 8, 1) uint8 to logits: which half is darker."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(64, 2)
        weights = torch.ones(8, 8)
        weights[:, :4] = -1
        self.linear.weight.data = torch.stack([weights.flatten(), -weights.flatten()]) / 640

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.linear(image.float().flatten(1))


@pytest.fixture
def sides(squares: data.Splits) -> tasks.Classify:
    return tasks.Classify(squares, input="image", target="side")


def test_any_module_is_proven_like_our_own(tmp_path: Path, squares: data.Splits, sides: tasks.Classify) -> None:
    path = export.adopt(Halves(), sides, tmp_path / "halves.onnx", samples=squares.test)
    file = runtime.load(path)
    assert (file.name, file.card.model["family"], file.card.parameters) == ("halves", "PyTorch", 130)
    scores = tasks.evaluate(file, file.task, squares.test)
    assert scores.mean == 1.0
    export.prove(path, [evidence.accuracy_at_least(scores, bound=0.5)], require="holds")
    assert runtime.verify(path, data=squares.test).exit_code == 0


def test_a_module_that_answers_something_else_is_refused(tmp_path: Path, sides: tasks.Classify) -> None:
    with pytest.raises(LinnetError, match=r"of shape \(16, 2\); Flatten answers in the shape \(16, 64\)"):
        export.adopt(torch.nn.Flatten(), sides, tmp_path / "a.onnx")
    with pytest.raises(LinnetError, match="torch cannot convert"):
        export.adopt(torch.nn.LSTM(8, 2), sides, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_of_ours_stays_what_it_was(tmp_path: Path, tone_task: tasks.Classify, tones: data.Splits) -> None:
    (tmp_path / "bare.onnx").write_bytes(tones_bytes(tone_task))
    file = runtime.load(export.adopt(tmp_path / "bare.onnx", tone_task, tmp_path / "a.onnx", samples=tones.test,
                                     name="tones again"))
    assert file.name == "tones again"
    assert tasks.evaluate(file, tone_task, tones.test).mean == 1.0
    assert "linnet.claims" not in file.artifact.metadata


def pixels_file(path: Path, *, channels_first: bool, batch: str | int = "n", columns: int = 1,
                last: str = "Identity") -> Path:
    """float pixels (n, 8, 8, 1) or (n, 1, 8, 8) to how much darker the right half is."""
    weights = np.ones((8, 8), np.float32)
    weights[:, 4:] = -1
    table = np.tile(weights.reshape(64, 1), (1, columns)) / 6400
    if columns == 2:
        table[:, 0] *= -1
    nodes = [helper.make_node("Flatten", ["pixels"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["sum"]),
             helper.make_node(last, ["sum"], ["darker"])]
    size = [batch, 1, 8, 8] if channels_first else [batch, 8, 8, 1]
    outputs = [helper.make_tensor_value_info("darker", TensorProto.FLOAT, [batch, columns])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, size)],
                              outputs, [numpy_helper.from_array(table.astype(np.float32), "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("columns", [1, 2])
def test_a_strange_file_is_cast_turned_and_given_columns(tmp_path: Path, squares: data.Splits, sides: tasks.Classify,
                                                         channels_first: bool, columns: int) -> None:
    source = pixels_file(tmp_path / "s.onnx", channels_first=channels_first, columns=columns)
    file = runtime.load(export.adopt(source, sides, tmp_path / "a.onnx", samples=squares.test))
    assert tasks.evaluate(file, sides, squares.test).mean == 1.0


@pytest.mark.parametrize(("columns", "last"), [(1, "Sigmoid"), (2, "Softmax")])
def test_probabilities_stay_probabilities(tmp_path: Path, squares: data.Splits, sides: tasks.Classify, columns: int,
                                          last: str) -> None:
    source = pixels_file(tmp_path / "s.onnx", channels_first=False, columns=columns, last=last)
    file = runtime.load(export.adopt(source, sides, tmp_path / "a.onnx", samples=squares.test))
    arrays = sides.prepare(sides.read(squares.test))
    said = start(source).run({"pixels": arrays["image"].astype(np.float32)})["darker"]
    assert sides.probabilities(file(arrays))[:, 1] == pytest.approx(said[:, -1], abs=1e-6)


def test_many_labels_take_the_numbers_before_the_sigmoid(tmp_path: Path, sentences: data.Splits) -> None:
    many = tasks.Classify(sentences, input="text", target="topics", length=64, vocabulary=100)
    ports = [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["n", 64]),
             helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])]
    nodes = [helper.make_node("Cast", ["tokens"], ["ids"], to=TensorProto.FLOAT),
             helper.make_node("MatMul", ["ids", "w"], ["sum"]), helper.make_node("Sigmoid", ["sum"], ["logits"])]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:],
                              [numpy_helper.from_array(np.ones((64, 2), np.float32), "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "s.onnx")
    with pytest.raises(LinnetError, match="ends in Sigmoid"):
        export.adopt(tmp_path / "s.onnx", many, tmp_path / "a.onnx", samples=sentences.test)
    graph.node[-1].op_type = "Neg"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "s.onnx")
    file = runtime.load(export.adopt(tmp_path / "s.onnx", many, tmp_path / "a.onnx", samples=sentences.test))
    assert set(tasks.evaluate(file, many, sentences.test).answers) == {"[]"}


def test_a_batch_of_one_becomes_free(tmp_path: Path, squares: data.Splits, sides: tasks.Classify) -> None:
    source = pixels_file(tmp_path / "s.onnx", channels_first=False, batch=1, columns=2)
    file = runtime.load(export.adopt(source, sides, tmp_path / "a.onnx", samples=squares.test))
    assert tasks.evaluate(file, sides, squares.test, batch=16).mean == 1.0


def test_weights_beside_the_file_are_taken_in(tmp_path: Path) -> None:
    digits = data.load("handwritten").split(seed=0)
    task = tasks.Classify(digits, input="image", target="digit")
    file = runtime.load(export.adopt(with_external_weights(tmp_path), task, tmp_path / "a.onnx", samples=digits.test))
    assert not file.artifact.external_files
    assert file.card.parameters == 640


def test_what_does_not_fit_is_said(tmp_path: Path, tone_task: tasks.Classify, sides: tasks.Classify) -> None:
    (tmp_path / "digits.onnx").write_bytes(digits_bytes())
    with pytest.raises(LinnetError, match=r"asks for logits of shape"):
        export.adopt(tmp_path / "digits.onnx", sides, tmp_path / "a.onnx")
    (tmp_path / "tones.onnx").write_bytes(tones_bytes(tone_task))
    with pytest.raises(LinnetError):
        export.adopt(tmp_path / "tones.onnx", sides, tmp_path / "a.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(LinnetError, match=r"text\.onnx cannot be read as an ONNX file"):
        export.adopt(tmp_path / "text.onnx", sides, tmp_path / "a.onnx")
    with pytest.raises(LinnetError, match=r"builtins\.dict cannot be adopted; it must come from lightgbm, keras"):
        export.adopt({}, sides, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()


def test_a_file_says_nothing_of_the_folder_in_which_it_was_made(tmp_path: Path, sides: tasks.Classify) -> None:
    content = export.adopt(Halves(), sides, tmp_path / "a.onnx").read_bytes()
    assert b".py" not in content
    assert str(Path(__file__).parent).encode() not in content
    model = onnx.load(pixels_file(tmp_path / "s.onnx", channels_first=False, columns=2))
    model.doc_string = model.graph.node[0].doc_string = "made in /home/somebody"
    model.graph.node[0].metadata_props.add(key="stack", value="/home/somebody/train")
    onnx.save(model, tmp_path / "s.onnx")
    assert b"somebody" not in export.adopt(tmp_path / "s.onnx", sides, tmp_path / "b.onnx").read_bytes()


def test_samples_are_spread_over_rows_that_are_sorted(tmp_path: Path, sides: tasks.Classify) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(160, 250, (600, 8, 8, 1)).astype(np.uint8)
    images[:300, :, :4] -= 100
    images[300:, :, 4:] -= 100
    table = pa.table({"id": [f"q{number:03}" for number in range(600)], "side": ["left"] * 300 + ["right"] * 300,
                      "image": data.media_cells([encode(image) for image in images])})
    dataset = data.Dataset("sorted", table, {"image": data.ImageColumn(), "side": data.LabelColumn(("left", "right"))})
    assert runtime.load(export.adopt(Halves(), sides, tmp_path / "a.onnx", samples=dataset)).card.parity.samples == 256
    turned = Halves()
    turned.linear.weight.data *= -1
    with pytest.raises(LinnetError, match="0 of 256 rows of 'sorted' right; always answering 'left' 128"):
        export.adopt(turned, sides, tmp_path / "b.onnx", samples=dataset)
