from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_files import convolutions_bytes

from linnet.errors import LinnetError
from linnet.evidence import Ledger
from linnet.runtime import read_claims
from linnet.runtime.artifact import read
from linnet.shrink import Plan
from linnet.shrink.search import Wish, run
from linnet.shrink.search.file_start import FileStart, arrays_of
from linnet.shrink.search.predict import Count, count, predicted
from linnet.shrink.search.samples import Samples

WISH = Wish(goal="size", no_worse=0.05, trials=3, seconds=0.01)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Two convolutions and a product, by random weights: images (batch, 3, 8, 8) to logits (batch, 4)."""
    path = tmp_path / "plain.onnx"
    path.write_bytes(convolutions_bytes())
    return path


def saved(path: Path, **arrays: Any) -> Path:
    rng = np.random.default_rng(1)
    images = rng.standard_normal((400, 3, 8, 8)).astype(np.float32)
    np.savez(path, **{"image": images, **arrays})
    return path


def test_a_bare_file_with_arrays_becomes_smaller_and_answers_as_before(model: Path, tmp_path: Path) -> None:
    rooms = np.array(["hall", "bath"] * 200)
    start = FileStart(model, arrays_of(model, saved(tmp_path / "x.npz", **{"group:room": rooms})))
    found = run(start, Wish(goal="size", no_worse=0.05, worst_group=0.1, trials=3, seconds=0.01), tmp_path / "s",
                ledger=Ledger(tmp_path / "ledger"))
    assert found.verdict == "holds"
    assert found.file is not None
    assert found.file.stat().st_size < 0.6 * model.stat().st_size
    claims = [entry.claim for entry in read_claims(read(found.file))]
    assert [claim.n for claim in claims[:1]] == [200]
    assert {claim.data.population for claim in claims if claim.data} == {
        "samples in x.npz", "samples of room bath in x.npz", "samples of room hall in x.npz"}


def test_parts_share_no_row_and_calibration_is_of_neither(model: Path, tmp_path: Path) -> None:
    asking = arrays_of(model, saved(tmp_path / "x.npz"))
    parts = asking.samples.parts
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(400))
    some = asking.calibration(64, 0)["image"]
    train = asking.samples.some(parts["train"])["image"]
    assert len(some) == 64
    assert all((train == image).all(axis=(1, 2, 3)).any() for image in some)


def test_a_target_says_what_is_right(model: Path, tmp_path: Path) -> None:
    plain = FileStart(model, arrays_of(model, saved(tmp_path / "x.npz")))
    scores = plain.scores(model, "validation")
    assert scores.mean == 1.0  # by definition
    assert scores.metric == "agreement"
    right = [int(answer) for answer in plain.scores(model, "test").answers]
    target = np.zeros(400, int)
    target[plain.asking.samples.parts["test"]] = right  # type: ignore[attr-defined]
    told = FileStart(model, arrays_of(model, saved(tmp_path / "y.npz", target=target)))
    assert told.scores(model, "test").mean == 1.0
    assert told.scores(model, "test").metric == "accuracy"
    assert told.scores(model, "validation").mean < 1


def test_sequences_are_scored_by_their_positions() -> None:
    answers = {"right": np.eye(3)[[0, 1, 2, 0]], "other": np.eye(3)[[0, 1, 1, 0]]}
    rows = {"x": np.zeros((8, 1), np.float32)}
    samples = Samples("x", rows, None, {}, lambda arrays: np.repeat(answers["right"][None], len(arrays["x"]), axis=0))
    scores = samples.scores(lambda arrays: np.repeat(answers["other"][None], len(arrays["x"]), axis=0), "test",
                            subject="s", subject_name="n")
    assert scores.score.tolist() == [0.75] * 4
    assert scores.answers[0] == "[0, 1, 1, 0]"


@pytest.mark.parametrize(("arrays", "said"), [
    ({"picture": np.zeros((400, 2))}, "not known: picture"),
    ({"target": np.zeros(399)}, "same number of rows"),
    ({"image": np.full((400, 3, 8, 8), np.nan, np.float32)}, "holds NaN"),
    ({"image": np.zeros((400, 5), np.float32)}, "expected float32"),
    ({"image": np.zeros((4, 3, 8, 8), np.float32)}, "at least 8"),
])
def test_arrays_that_do_not_fit_are_said(model: Path, tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        arrays_of(model, saved(tmp_path / "x.npz", **arrays))


def test_what_is_no_array_file_is_said(model: Path, tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match="there is no file"):
        arrays_of(model, tmp_path / "gone.npz")
    (tmp_path / "x.npz").write_bytes(b"no")
    with pytest.raises(LinnetError, match=r"is no \.npz file of plain arrays; .* by input name: image; "):
        arrays_of(model, tmp_path / "x.npz")
    np.save(tmp_path / "one.npy", np.zeros((400, 3, 8, 8), np.float32))
    with pytest.raises(LinnetError, match=r"is no \.npz"):
        arrays_of(model, tmp_path / "one.npy")
    np.savez(tmp_path / "y.npz", image=np.array([{"a": 1}], dtype=object))
    with pytest.raises(LinnetError, match=r"is no \.npz"):
        arrays_of(model, tmp_path / "y.npz")


def test_multiplications_are_counted(model: Path) -> None:
    found = count(onnx.load(model))
    assert found.macs == 64 * 16 * 27 + 64 * 32 * 16 * 9 + 2048 * 4
    assert found.parameters == 16 * 27 + 32 * 144 + 2048 * 4


def test_predictions_know_how_numbers_are_stored() -> None:
    size = Count(1000, 1000)
    assert predicted(size, Plan({"int8": {}}), "size") == 1000
    assert predicted(size, Plan({"palettize": {"bits": 4}}), "size") == 500
    assert predicted(size, Plan({"remove_channels": {}}), "size") == 4000
    assert predicted(size, Plan({"int8": {}}), "latency") < predicted(size, Plan({"remove_channels": {}}), "latency")
