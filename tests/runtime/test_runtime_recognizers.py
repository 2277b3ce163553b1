"""One contract for every engine of recognition, and what is particular to each."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_models import ctc_folder, whisper_folder

from linnet import data
from linnet.data import Audio
from linnet.errors import LinnetError
from linnet.runtime.recognizers import RECOGNIZERS, sherpa_onnx
from linnet.speech.hypothesis import Hypothesis, Recognizer

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GRAMMAR = f"#JSGF V1.0; grammar digits; public <digit> = {' | '.join(DIGITS)};"


def burst(seconds: float = 1.0, rate: int = 16_000) -> Audio:
    """Loud noise between two silences."""
    rng, size = np.random.default_rng(3), round(seconds * rate)
    samples = np.zeros(size, np.float32)
    samples[size // 4 : size // 2] = rng.normal(0, 0.25, size // 2 - size // 4).clip(-1, 1)
    return Audio(samples, rate)


def made(name: str, folder: Path) -> Recognizer:
    """The engine with the model that comes with it, with one made here, or with one that the user has."""
    if name == "pocketsphinx":
        return RECOGNIZERS[name](grammar=GRAMMAR)
    if name == "sherpa_onnx":
        pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")
        return RECOGNIZERS[name](ctc_folder(folder), kind="nemo_ctc")
    if name == "faster_whisper":
        pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
        return RECOGNIZERS[name](whisper_folder(folder), detect=False, beam=1)
    where = os.environ.get("LINNET_RECOGNIZERS")
    if not where or not Path(where, name).is_dir():
        pytest.skip(f"no model of {name} is here: set LINNET_RECOGNIZERS to a folder with a folder {name}")
    pytest.importorskip("moonshine_voice", reason="moonshine-voice is not installed")
    return RECOGNIZERS[name](Path(where, name), size=os.environ.get("LINNET_MOONSHINE_SIZE", "tiny"))


@pytest.fixture(scope="module", params=RECOGNIZERS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return made(request.param, tmp_path_factory.mktemp(request.param))


def is_whole(found: list[Hypothesis], audio: Audio) -> bool:
    """What every answer keeps to."""
    texts = [one.text for one in found]
    times = [time for word in (found[0].words if found else ()) for time in (word.start_s, word.end_s)]
    sure = [value for one in found for value in (one.confidence, *(word.confidence for word in one.words))]
    return (all(text == text.strip() and text for text in texts) and len(set(texts)) == len(texts)
            and all(0 <= time <= audio.seconds and type(time) is float for time in times) and times == sorted(times)
            and all(value is None or 0 <= value <= 1 for value in sure))


def test_silence_is_answered_with_nothing(engine: Recognizer) -> None:
    for size in (0, 1, 3200, 16_000):
        assert engine(Audio(np.zeros(size, np.float32), 16_000)) == []


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_any_rate_is_heard_and_every_time_lies_within(engine: Recognizer, rate: int) -> None:
    assert is_whole(engine(burst(rate=rate)), burst(rate=rate))


def test_short_and_clipped_sounds(engine: Recognizer) -> None:
    rng = np.random.default_rng(0)
    for samples in (rng.uniform(-1, 1, 1), rng.uniform(-1, 1, 3200), np.sign(rng.uniform(-1, 1, 16_000))):
        audio = Audio(samples.astype(np.float32), 16_000)
        assert is_whole(engine(audio), audio)


def test_what_came_before_is_forgotten(engine: Recognizer) -> None:
    first = engine(burst())
    engine(burst(0.5))
    assert engine(burst()) == first


@pytest.mark.parametrize("name", sorted(set(RECOGNIZERS) - {"pocketsphinx"}))
def test_a_model_that_is_not_there_is_not_fetched(name: str, tmp_path: Path) -> None:
    kind = {"kind": "nemo_ctc"} if name == "sherpa_onnx" else {}
    with pytest.raises(LinnetError, match="none is fetched"):
        RECOGNIZERS[name](tmp_path / "nothing", **kind)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(LinnetError, match=r"has no|is not installed|can load"):
        RECOGNIZERS[name](tmp_path, **kind)


@pytest.mark.parametrize(("name", "package"), [("pocketsphinx", "pocketsphinx"), ("sherpa_onnx", "sherpa_onnx"),
                                               ("faster_whisper", "faster_whisper"), ("moonshine", "moonshine_voice")])
def test_a_missing_package_names_its_install_line(name: str, package: str, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    for file in ("model.onnx", "tokens.txt", "model.bin", "tokenizer.json"):
        (tmp_path / file).touch()
    given: tuple[Any, dict[str, Any]] = ((), {}) if name == "pocketsphinx" else \
        ((tmp_path,), {"kind": "nemo_ctc"} if name == "sherpa_onnx" else {})
    with pytest.raises(LinnetError, match=r'pip install "linnet\['):
        RECOGNIZERS[name](*given[0], **given[1])


def test_a_grammar_hears_digits(real_data: Path) -> None:
    recognize = RECOGNIZERS["pocketsphinx"](grammar=GRAMMAR)
    clips = data.load("fsdd", folder=str(real_data / "fsdd")).where(speaker=["jackson", "george"])
    chosen = clips.take(range(0, len(clips), 40))
    answers = [recognize(sound) for sound in chosen.decode("audio")]
    right = [bool(found) and found[0].text == DIGITS[int(digit)]
             for found, digit in zip(answers, chosen.values("digit"), strict=True)]
    assert np.mean(right) >= 0.4  # of 0.4 s at 8 kHz, spoken by few; 0.1 is chance
    best = next(found[0] for found in answers if found)
    assert best.words[0].text in DIGITS
    assert best.acoustic is not None
    assert best.acoustic < 0


@pytest.mark.parametrize(("grammar", "said"), [
    ("#JSGF V1.0; grammar g; public <s> = hello ( world ;", "cannot be compiled"),
    ("#JSGF V1.0; grammar g; public <s> = /2.0/ hello {tag} | [please] zyzzyvaq <t>; <t> = linnetish*;",
     "no pronunciation of linnetish, zyzzyvaq"), ("hello", "cannot be compiled")])
def test_grammars_that_cannot_be_heard_are_refused(grammar: str, said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        RECOGNIZERS["pocketsphinx"](grammar=grammar)


def test_words_outside_of_the_lexicon_are_spelt_in_phones() -> None:
    grammar = "#JSGF V1.0; grammar g; public <s> = linnetish;"
    assert RECOGNIZERS["pocketsphinx"](grammar=grammar, words={"linnetish": "L IH N AH T IH SH"})
    with pytest.raises(LinnetError, match="is no pronunciation of 'linnetish'"):
        RECOGNIZERS["pocketsphinx"](grammar=grammar, words={"linnetish": "L QQ"})


def test_pieces_become_words_with_times(tmp_path: Path) -> None:
    pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")
    recognize = RECOGNIZERS["sherpa_onnx"](ctc_folder(tmp_path), kind="nemo_ctc")
    (found,) = recognize(burst(2.0))
    assert found.text.startswith("go")
    assert 0.4 <= found.words[0].start_s <= 0.6
    assert sherpa_onnx._words(["\u2581go", "ing", "\u2581on"], [0.1, 0.2, 0.4], [-0.1, -0.2, -0.5], burst())[0].text \
        == "going"
    words = sherpa_onnx._words([" Go", "ing", " on"], [0.1, 0.2, 0.4], [-0.1, -0.2, -0.5], burst())
    assert [(word.text, word.start_s, word.end_s) for word in words] == [("Going", 0.1, 0.4), ("on", 0.4, 1.0)]
    assert [word.confidence for word in words] == pytest.approx(np.exp([-0.3, -0.5]))


@pytest.mark.parametrize("kind", sherpa_onnx.KINDS)
def test_every_kind_of_model_is_one_that_sherpa_onnx_takes(kind: str) -> None:
    package = pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")
    taken = inspect.signature(getattr(package.OfflineRecognizer, f"from_{kind}")).parameters
    assert {*sherpa_onnx.KINDS[kind], "tokens", "num_threads"} <= set(taken)


def test_the_detector_keeps_noise_from_whisper(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    folder = whisper_folder(tmp_path)
    assert RECOGNIZERS["faster_whisper"](folder, beam=1)(burst()) == []
    assert RECOGNIZERS["faster_whisper"](folder, beam=1, detect=False)(burst()) != []
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(LinnetError, match=r"has no tokenizer\.json"):
        RECOGNIZERS["faster_whisper"](folder)
