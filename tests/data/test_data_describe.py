"""What is in a dataset, in plain values."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from linnet import data
from linnet.data import (
    AudioColumn,
    Dataset,
    ImageColumn,
    SequenceColumn,
    SpansColumn,
    TextColumn,
    ValueColumn,
    describe,
    describe_audio,
    describe_audio_parts,
    media_cells,
)
from linnet.data.media import encode
from linnet.errors import DamagedFileError, LinnetError


def sound(rate, channels, seconds=0.1):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full((round(rate * seconds), channels), 0.1), rate, format="WAV")
    return buffer.getvalue()


def image_bytes():
    return encode(np.zeros((2, 3, 3), np.uint8))


def clips(*sounds):
    table = pa.table({"id": [f"c{index}" for index in range(len(sounds))], "audio": media_cells(sounds)})
    return Dataset("clips", table, {"audio": AudioColumn()})


@pytest.mark.parametrize(("sounds", "words"), [
    ([(8000, 1)] * 2, None), ([(8000, 1), (8000, 2)], "1 of 2 recordings were 8000 Hz stereo: mixed to mono"),
    ([(16000, 1), (8000, 1)], "1 of 2 recordings were 16000 Hz mono: resampled to 8000 Hz"),
    ([(8000, 1), (16000, 2), (44100, 6)], "2 of 3 recordings were 16000 Hz stereo, 44100 Hz 6 channels: "
                                          "mixed to mono and resampled to 8000 Hz")])
def test_what_was_changed_is_said(sounds, words):
    assert describe_audio(clips(*(sound(*kind) for kind in sounds)), "audio").changes_to(8000) == words


def test_lengths_come_from_the_headers():
    assert describe_audio(clips(sound(8000, 1, 0.25), sound(16000, 2, 0.5)), "audio").seconds == (0.25, 0.5)


def test_every_header_that_cannot_be_read_is_named():
    with pytest.raises(DamagedFileError, match=r"(?s)2 of 3 samples.*'c1' cannot be read.*'c2' is empty"):
        describe_audio(clips(sound(8000, 1), b"words", b""), "audio")


def test_what_is_broken_in_any_part_is_said_at_once():
    parts = [clips(sound(8000, 1), b"words"), clips(sound(8000, 1)), clips(b"")]
    with pytest.raises(DamagedFileError, match=r"(?s)2 of 4 samples of 'clips'.*'c1' cannot be read.*'c0' is empty"):
        describe_audio_parts(parts, "audio")
    assert [part.recordings for part in describe_audio_parts([parts[1], parts[1]], "audio")] == [1, 1]


def test_every_file_that_is_broken_is_listed_and_the_rest_described():
    whole, cut = sound(8000, 1, 0.5), sound(8000, 1, 0.5)[:-100]
    steps = []
    found = describe(clips(whole, cut, b"words", whole, b""), lambda *step: steps.append(step))
    assert [(one["sample"], one["column"]) for one in found["broken"]] == [
        ("c1", "audio"), ("c2", "audio"), ("c4", "audio")]
    assert "cut off" in found["broken"][0]["reason"]
    assert found["columns"]["audio"]["formats"] == {"8000 Hz mono": 3}
    assert steps[-1][:2] == (5, 5)


def test_describe_is_plain_json(tones):
    found = describe(tones.test)
    assert json.loads(json.dumps(found)) == found
    assert (found["part"], found["rows"], found["fingerprint"]) == ("test", len(tones.test), tones.test.fingerprint)
    assert found["columns"]["pitch"] == {"kind": "label", "counts": {"high": 10, "low": 10, "middle": 10}}
    assert found["columns"]["audio"]["formats"] == {"8000 Hz mono": 30}
    assert found["columns"]["audio"]["seconds"]["total"] == pytest.approx(9.0)
    with pytest.raises(LinnetError, match="holds label, not recordings"):
        describe_audio(tones.test, "pitch")


def test_describe_images():
    found = describe(data.load("handwritten").take(range(5)))
    assert found["columns"]["image"] == {"kind": "image", "sizes": {"8 x 8, grey": 5}, "different_sizes": 1}
    table = pa.table({"id": ["a", "b"], "image": media_cells([image_bytes(), b"no image"])})
    found = describe(Dataset("pictures", table, {"image": ImageColumn()}))
    assert (found["columns"]["image"]["sizes"], len(found["broken"])) == ({"3 x 2, colour": 1}, 1)


def test_describe_texts_lists_and_numbers():
    span = pa.struct([("label", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
    table = pa.table({"id": ["a", "b", "c"], "text": ["to rome", "to", "to"], "age": [1, 2, 4],
                      "phones": pa.array([["T", "U"], [], ["T"]], pa.list_(pa.string())),
                      "slots": pa.array([[{"label": "city", "start": 3, "end": 7}], [], []], pa.list_(span))})
    found = describe(Dataset("texts", table, {
        "text": TextColumn(), "age": ValueColumn(), "phones": SequenceColumn(("T", "U", "V")),
        "slots": SpansColumn(("city", "day"), of="text")}))["columns"]
    assert found["text"] == {"kind": "text", "different": 2, "characters": {
        "least": 2, "median": 2, "most": 7, "histogram": [2, 0, 0, 0, 0, 1]}}
    assert found["age"] == {"kind": "value", "least": 1, "median": 2, "most": 4, "histogram": [1, 1, 0, 1]}
    assert found["phones"]["counts"] == {"T": 2, "U": 1, "V": 0}
    assert found["phones"]["in_a_row"]["most"] == 2
    assert found["slots"]["counts"] == {"city": 1, "day": 0}
