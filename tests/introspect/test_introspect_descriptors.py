import numpy as np
import pytest

from linnet.data import Audio
from linnet.errors import LinnetError
from linnet.introspect import describe


def tone(hertz: float, gain: float = 0.5, seconds: float = 0.5) -> Audio:
    return Audio((gain * np.sin(2 * np.pi * hertz * np.arange(int(8000 * seconds)) / 8000)).astype(np.float32), 8000)


def of(found: object, name: str) -> np.ndarray:
    return found.values[:, found.names.index(name)]  # type: ignore[attr-defined]


def test_sounds_have_their_pitch_and_loudness() -> None:
    found = describe([tone(500), tone(2000, 0.05), Audio(np.zeros(10, np.float32), 8000)])
    assert of(found, "centroid_hz")[:2] == pytest.approx([500, 2000], rel=0.05)
    assert of(found, "loudness_db")[:2] == pytest.approx([20 * np.log10(0.5 / 2**0.5), 20 * np.log10(0.05 / 2**0.5)],
                                                         abs=0.01)
    assert np.isfinite(found.values).all()
    assert of(found, "seconds")[0] == 0.5


def test_images_have_their_colours_and_edges() -> None:
    red = np.zeros((8, 6, 3), np.uint8)
    red[..., 0] = 255
    stripes = np.repeat(np.where(np.arange(8)[:, None] % 4 < 2, 255, 0).astype(np.uint8), 8, axis=1)[..., None]
    found = describe([red, stripes])
    assert of(found, "red_mean").tolist() == [1.0, 0.5]
    assert of(found, "blue_mean").tolist() == [0.0, 0.5]
    assert found.values[1, [found.names.index(f"gradient_00_{angle}") for angle in range(8)]].argmax() == 4
    assert of(found, "height").tolist() == [8, 8]


def test_texts_that_differ_little_lie_near() -> None:
    found = describe(["Turn on the lights", "turn on  the light", "what is my balance", ""]).values
    assert found[0] @ found[1] > 0.9 > 0.3 > found[0] @ found[2]
    assert not found[3].any()


def test_rows_are_standardised_and_say_what_is_missing() -> None:
    found = describe([{"age": 1.0, "colour": "red"}, {"age": 3.0, "colour": "blue"}, {"age": float("nan")}])
    assert found.names == ("age", "age is missing", "colour = None", "colour = blue", "colour = red")
    assert of(found, "age").tolist() == [-1.0, 1.0, 0.0]
    assert of(found, "age is missing").tolist() == [0, 0, 1]


def test_what_cannot_be_described_is_refused() -> None:
    with pytest.raises(LinnetError, match="at least one sample"):
        describe([])
    with pytest.raises(LinnetError, match="sample 1 is a int"):
        describe(["a", 3])
    with pytest.raises(LinnetError, match="got int"):
        describe([3])
    with pytest.raises(LinnetError, match=r"shape \(2, 2\)"):
        describe([np.zeros((2, 2), np.uint8)])
