import sys

import numpy as np
import pytest
from onnx_files import digits_bytes

from linnet.errors import LinnetError
from linnet.runtime.engines import ENGINES, Port, Session, start
from linnet.runtime.inputs import random_inputs


@pytest.fixture(params=sorted(ENGINES))
def session(request: pytest.FixtureRequest) -> Session:
    return start(digits_bytes(), engine=request.param)


def test_every_engine_says_what_the_file_takes_and_gives(session: Session) -> None:
    assert session.inputs == {"image": Port("uint8", (None, 8, 8, 1))}
    assert session.outputs == {"logits": Port("float32", (None, 10))}
    assert (session.threads, session.engine in ENGINES, bool(session.version)) == (1, True, True)


def test_every_engine_answers_as_the_mathematics_does(session: Session) -> None:
    image = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8, 1)
    weights = np.random.default_rng(0).standard_normal((64, 10)).astype(np.float32)
    logits = session.run({"image": image})["logits"]
    np.testing.assert_allclose(logits, image.reshape(3, 64).astype(np.float32) @ weights, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("given", "said"), [
    ({"image": np.zeros((1, 8, 8, 1), np.float32)}, r"expected uint8 \(any, 8, 8, 1\), received float32 \(1, 8, 8"),
    ({"image": np.zeros((8, 8, 1), np.uint8)}, r"received uint8 \(8, 8, 1\)"),
    ({"image": np.zeros((1, 9, 8, 1), np.uint8)}, r"received uint8 \(1, 9, 8, 1\)"),
    ({"picture": np.zeros((1, 8, 8, 1), np.uint8)}, "takes the inputs image; it was given picture"),
    ({}, r"it was given \(none\)"),
])
def test_every_engine_refuses_what_does_not_fit(session: Session, given: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        session.run(given)


@pytest.mark.parametrize("content", [b"", digits_bytes()[:300], b"no model"])
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_every_engine_says_what_it_cannot_load_and_prints_nothing(engine: str, content: bytes,
                                                                  capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LinnetError, match=f"{engine} .* cannot load the file"):
        start(content, engine=engine)
    assert capfd.readouterr() == ("", "")


def test_unknown_engines_and_no_threads_are_refused() -> None:
    with pytest.raises(LinnetError, match="unknown engine 'onnxruntme'; did you mean 'onnxruntime'"):
        start(digits_bytes(), engine="onnxruntme")
    with pytest.raises(LinnetError, match="at least 1"):
        start(digits_bytes(), threads=0)


def test_the_adapter_does_not_hide_the_package_of_the_same_name(session: Session) -> None:
    assert hasattr(sys.modules["onnxruntime"], "InferenceSession")


def test_made_up_inputs_fit_and_follow_the_seed(session: Session) -> None:
    inputs = random_inputs(session, batch=5, seed=3)
    assert session.run(inputs)["logits"].shape == (5, 10)
    assert (inputs["image"] == random_inputs(session, batch=5, seed=3)["image"]).all()
    assert (inputs["image"] != random_inputs(session, batch=5, seed=4)["image"]).any()
