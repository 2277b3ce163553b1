"""espeak-ng really speaks here, and what it says is measured; Piper runs a voice that is made for the test."""

import json
import logging
import threading

import numpy as np
import pytest
import soundfile

from linnet.errors import LinnetError
from linnet.responses import Cache, Espeak, Piece, Piper, espeak, say, sound_of, write
from linnet.speech import prosody

pytest.importorskip("espeakng_loader", reason="needs the extra responses")
TEXT = "Hello there, this is a test of the voice."


@pytest.fixture(scope="module")
def voice():
    return Espeak()


def measured(voice, text):
    sound = sound_of(voice, text)
    return prosody.measure(sound, voice.sample_rate_hz, floor_hz=50)


def test_it_speaks(voice):
    said = measured(voice, TEXT)
    assert 1.5 < said.duration_s < 4
    assert said.voiced_share > 0.4
    assert 8 <= said.syllables <= 13
    assert np.abs(sound_of(voice, TEXT)).max() <= 1


@pytest.mark.parametrize(("manner", "longer", "higher", "louder_db"), [
    ("rate='50%'", 2.0, 1.0, 0), ("rate='150%'", 0.66, 1.0, 0), ("pitch='+30%'", 1.0, 1.3, 0),
    ("pitch='-20%'", 1.0, 0.8, 0), ("volume='-6dB'", 1.0, 1.0, -6)])
def test_it_follows_a_manner(voice, manner, longer, higher, louder_db):
    plain, other = measured(voice, TEXT), measured(voice, f"<speak><prosody {manner}>{TEXT}</prosody></speak>")
    assert other.duration_s / plain.duration_s == pytest.approx(longer, rel=0.12)
    assert other.pitch_hz / plain.pitch_hz == pytest.approx(higher, rel=0.07)
    assert other.intensity_db - plain.intensity_db == pytest.approx(louder_db, abs=1.2)


def test_a_break_is_silence(voice):
    assert measured(voice, "<speak>One two<break time='800ms'/>three four.</speak>").longest_pause_s > 0.7


def test_the_voice_itself_has_a_rate_and_a_pitch():
    assert measured(Espeak(rate=2.0), TEXT).duration_s < 0.6 * measured(Espeak(), TEXT).duration_s
    with pytest.raises(LinnetError, match="a rate of 3 times"):
        Espeak(rate=3.0)
    with pytest.raises(LinnetError, match="a rate of 4 times"):
        Espeak(rate=2.0).speak([Piece("x", rate=2.0)])
    with pytest.raises(LinnetError, match="unknown voice of espeak-ng 'enn'"):
        Espeak("enn")


def test_chunks_come_before_the_end_and_stopping_stops(voice, monkeypatch):
    before, calls, library = threading.active_count(), [], espeak._library()
    real = library.synthesise

    def counted(text, take):
        def counting(wave, count, events):
            calls.append(count)
            return take(wave, count, events)
        real(text, espeak._CALLBACK(counting))

    monkeypatch.setattr(library, "synthesise", counted)
    stream = say(voice, "word " * 3000)
    first = next(stream)
    assert 0 < len(first) <= 0.07 * voice.sample_rate_hz
    stream.close()
    assert threading.active_count() == before
    assert len(calls) < 200  # of some 15,000
    assert len(sound_of(voice, "Next.")) > 0


def test_odd_texts_are_said_or_are_silence(voice):
    for text in ("", "   ", "<speak/>"):
        assert len(sound_of(voice, text)) == 0
    for text in ("<b>bold</b> & [[x]]", "日本語 текст", "a" * 2000, "1,234.50 €", "\x00 nul"):
        assert np.isfinite(sound_of(voice, text)).all()
    with pytest.raises(LinnetError, match="line 1, column 8"):
        say(voice, "<speak><b/></speak>")


def test_voices_take_turns():
    """The library has one state; two threads that speak at once sound as they do alone."""
    voices = [Espeak("en-us"), Espeak("de", pitch=1.3)]
    alone = [measured(one, TEXT) for one in voices]
    together = {}

    def speak(number):
        together[number] = measured(voices[number], TEXT)

    threads = [threading.Thread(target=speak, args=(number,)) for number in (0, 1)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for number in (0, 1):
        assert together[number].duration_s == pytest.approx(alone[number].duration_s, rel=0.01)
        assert together[number].pitch_hz == pytest.approx(alone[number].pitch_hz, rel=0.03)
    assert alone[1].pitch_hz > 1.2 * alone[0].pitch_hz
    fresh = measured(Espeak("en-us"), TEXT)
    assert alone[0].duration_s == pytest.approx(fresh.duration_s, rel=0.01)
    assert alone[1].duration_s != pytest.approx(fresh.duration_s, rel=0.02)


def test_what_was_said_is_kept(voice, tmp_path):
    cache = Cache(tmp_path / "said")
    first = sound_of(voice, TEXT, cache=cache)
    (kept,) = (tmp_path / "said").glob("*.flac")
    np.testing.assert_allclose(sound_of(voice, TEXT, cache=cache), first, atol=1e-4)
    soundfile.write(kept, np.zeros(500), 22050)
    assert len(sound_of(voice, TEXT, cache=cache)) == 500  # it was read, not said
    kept.write_bytes(b"no sound")
    assert len(sound_of(voice, TEXT, cache=cache)) == pytest.approx(len(first), rel=0.01)
    assert len(sound_of(Espeak(rate=1.5), TEXT, cache=cache)) < 0.8 * len(first)
    assert len(list((tmp_path / "said").glob("*"))) == 2


def test_what_was_broken_off_is_not_kept(voice, tmp_path):
    stream = say(voice, TEXT, cache=Cache(tmp_path))
    next(stream)
    stream.close()
    assert not list(tmp_path.iterdir())


def test_the_cache_keeps_to_its_size(voice, tmp_path):
    cache = Cache(tmp_path, most_bytes=0)
    sound_of(voice, "One.", cache=cache)
    assert not list(tmp_path.iterdir())
    with pytest.raises(LinnetError, match="0 or more"):
        Cache(tmp_path, most_bytes=-1)


def test_a_cache_that_cannot_write_does_not_silence_the_voice(voice, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING, "linnet"):
        assert len(sound_of(voice, "One.", cache=Cache(tmp_path / "file"))) > 0
    assert "could not be kept" in caplog.text


def test_into_a_file(voice, tmp_path):
    path = write(voice, TEXT, tmp_path / "said.wav")
    info = soundfile.info(path)
    assert (info.samplerate, info.subtype) == (22050, "PCM_16")
    assert info.duration == pytest.approx(len(sound_of(voice, TEXT)) / 22050, rel=0.01)
    with pytest.raises(LinnetError, match=r"said\.mp9: no sound can be written as '\.mp9'; known: .*\.wav"):
        write(voice, TEXT, tmp_path / "said.mp9")


@pytest.fixture(scope="module")
def piper_voice(tmp_path_factory):
    """A voice in Piper's form that hums: 256 samples a phoneme, longer by the length scale, as VITS voices are."""
    pytest.importorskip("piper", reason="needs the extra piper")
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Cast", ["input_lengths"], ["phonemes"], to=TensorProto.FLOAT),
             helper.make_node("Gather", ["scales", "one"], ["length_scale"], axis=0),
             helper.make_node("Mul", ["phonemes", "length_scale"], ["longer"]),
             helper.make_node("Mul", ["longer", "hop"], ["exact"]),
             helper.make_node("Cast", ["exact"], ["many"], to=TensorProto.INT64),
             helper.make_node("Squeeze", ["many"], ["count"]),
             helper.make_node("Range", ["start", "count", "step"], ["whole"]),
             helper.make_node("Cast", ["whole"], ["times"], to=TensorProto.FLOAT),
             helper.make_node("Mul", ["times", "radians"], ["phase"]), helper.make_node("Sin", ["phase"], ["hum"]),
             helper.make_node("Reshape", ["hum", "shape"], ["output"])]
    constants = [helper.make_tensor("one", TensorProto.INT64, [1], [1]),
                 helper.make_tensor("hop", TensorProto.FLOAT, [1], [256.0]),
                 helper.make_tensor("start", TensorProto.INT64, [], [0]),
                 helper.make_tensor("step", TensorProto.INT64, [], [1]),
                 helper.make_tensor("radians", TensorProto.FLOAT, [], [2 * np.pi * 150 / 16000]),
                 helper.make_tensor("shape", TensorProto.INT64, [4], [1, 1, 1, -1])]
    inputs = [helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
              helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
              helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3])]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "samples"])
    model = helper.make_model(helper.make_graph(nodes, "hum", inputs, [output], constants), ir_version=8,
                              opset_imports=[helper.make_opsetid("", 15)])
    path = tmp_path_factory.mktemp("piper") / "hum.onnx"
    onnx.save(model, path)
    symbols = "_^$ abcdefghijklmnopqrstuvwxyzæðŋɐɑɔəɚɛɜɡɪɹɾʃʊʌʒθˈˌː.,!?ᵻ"
    path.with_name("hum.onnx.json").write_text(json.dumps({
        "audio": {"sample_rate": 16000}, "espeak": {"voice": "en-us"}, "phoneme_type": "espeak", "num_speakers": 1,
        "num_symbols": len(symbols), "phoneme_id_map": {symbol: [number] for number, symbol in enumerate(symbols)}}))
    return path


def test_piper_says_sentence_by_sentence(piper_voice):
    voice = Piper(piper_voice)
    assert voice.sample_rate_hz == 16000
    chunks = list(say(voice, "Hello there. This is a test."))
    assert len(chunks) == 2
    found = prosody.measure(np.concatenate(chunks), 16000)
    assert found.pitch_hz == pytest.approx(150, rel=0.01)
    slow = sound_of(voice, "<speak><prosody rate='50%'>Hello there. This is a test.</prosody></speak>")
    assert len(slow) == pytest.approx(2 * len(np.concatenate(chunks)), rel=0.01)
    quiet = sound_of(voice, "<speak><prosody volume='-6dB'>Hello there. This is a test.</prosody></speak>")
    assert np.abs(quiet).max() == pytest.approx(0.5, abs=0.01)
    assert len(sound_of(voice, "<speak>One<break time='1s'/></speak>")) > 16000


def test_piper_refuses_what_it_cannot_do(piper_voice, tmp_path):
    with pytest.raises(LinnetError, match="cannot change its pitch"):
        say(Piper(piper_voice), "<speak><prosody pitch='high'>x</prosody></speak>")
    with pytest.raises(LinnetError, match="speaker is 0 to 0"):
        Piper(piper_voice, speaker=3)
    with pytest.raises(LinnetError, match=r"not there: .*none.onnx.json"):
        Piper(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no")
    (tmp_path / "bad.onnx.json").write_text("{}")
    with pytest.raises(LinnetError, match="not a Piper voice"):
        Piper(tmp_path / "bad.onnx")
    one, other = Piper(piper_voice).identity, Piper(piper_voice, is_varied=True).identity
    assert one != other
