"""A closed grammar of 98 sentences: word errors, time, and what is accepted that should not be; beside pocketsphinx.

    LINNET_DATA=DATA python bench/speech/grammar.py --model MODEL --file closed.onnx [--others 1000]

MODEL is the acoustic model of recipes/speechocean762-closed.yaml (or of another recipe over the 39 phones), as
nn.save writes it; it goes, with its decoder, into --file, unless that is there already. pocketsphinx comes with `pip
install pocketsphinx`. The utterances are those of grammar_utterances.txt: of 200 test utterances drawn with seed 0
the first hundred, two left out whose words pocketsphinx does not know. Sentences that the training part has too are
not scored. The operating point is chosen on the validation speakers, their sentences dealt into grammars; the test
part is looked at after that. Times are CPU seconds of one thread, the network and the decoder included, opening and
decoding the recording not. Out of the grammar are other test utterances, drawn with seed 0. What is no speech is made
here: silence, noises, tones, clicks.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np

from linnet import data, export, nn, runtime, tasks
from linnet.data import Audio, Dataset, Splits, resample
from linnet.evidence.intervals import binomial
from linnet.tasks.figures import error_rate

HERE = Path(__file__).parent
RATE = 16000
PEER = 98
"""pocketsphinx hears so many recordings of each kind."""
Hear = Callable[[Audio], tuple[str, float]]
"""A recording to the answer, and how sure it is."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--others", type=int, default=500)
    parser.add_argument("--look", action="store_true", help="at the test part; without, only at validation")
    parser.add_argument("--pulses", action="store_true", help="also 80 pulsed and swelling sounds")
    return parser.parse_args()


def no_speech() -> Iterator[tuple[str, Audio]]:
    """Each of 1, 3 and 10 seconds."""
    rng = np.random.default_rng(0)
    for seconds in (1, 3, 10):
        count = seconds * RATE
        t = np.arange(count) / RATE
        white = rng.normal(size=count)
        spectrum = np.fft.rfft(white)
        slope = np.maximum(np.arange(len(spectrum)), 1.0)
        made = {"silence": np.zeros(count), "one step of 16 bits": rng.integers(-1, 2, count) / 32768,
                **{f"white noise {level}": white * level for level in (0.001, 0.01, 0.1, 0.3)},
                **{f"{name} noise {level}": level * _unit(np.fft.irfft(spectrum / slope**power, count))
                   for name, power in (("pink", 0.5), ("brown", 1.0)) for level in (0.01, 0.1)},
                **{f"tone {pitch} Hz": 0.3 * np.sin(2 * np.pi * pitch * t) for pitch in (100, 220, 440, 1000, 3000)},
                "hum": sum(0.1 / k * np.sin(2 * np.pi * 50 * k * t) for k in range(1, 12)),
                "rising tone": 0.3 * np.sin(2 * np.pi * (200 * t + 1500 * t**2 / seconds)),
                "dial tone": 0.2 * (np.sin(2 * np.pi * 350 * t) + np.sin(2 * np.pi * 440 * t)),
                "clicks": (rng.random(count) < 20 / RATE) * 0.8,
                "pulsed noise": white * 0.1 * (np.sin(2 * np.pi * 4 * t) > 0)}
        for name, samples in made.items():
            yield f"{name}, {seconds} s", Audio(np.clip(samples, -1, 1).astype(np.float32), RATE)


def pulses(seed: int = 11, count: int = 80) -> Iterator[tuple[str, Audio]]:
    """Of 1 to 7 seconds, in the rhythm of syllables: what is hardest to tell from speech without any in training."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        size = int(rng.integers(1, 8)) * RATE
        t = np.arange(size) / RATE
        kind = ("clicks", "pulsed noise", "pulsed tone", "swelling noise")[number % 4]
        if kind == "clicks":
            made = (rng.random(size) < rng.uniform(3, 60) / RATE) * rng.uniform(0.2, 1)
        elif kind == "pulsed noise":
            open_ = np.sin(2 * np.pi * rng.uniform(1, 10) * t) > rng.uniform(-0.5, 0.8)
            made = rng.normal(size=size) * rng.uniform(0.02, 0.3) * open_
        elif kind == "pulsed tone":
            made = 0.3 * np.sin(2 * np.pi * rng.uniform(100, 3000) * t)
            made = made * (np.sin(2 * np.pi * rng.uniform(1, 8) * t) > 0)
        else:
            spectrum = np.fft.rfft(rng.normal(size=size)) / np.maximum(np.arange(size // 2 + 1), 1) ** 0.7
            made = 0.1 * _unit(np.fft.irfft(spectrum, size)) * (1 + np.sin(2 * np.pi * rng.uniform(1, 6) * t))
        yield kind, Audio(np.clip(made, -1, 1).astype(np.float32), RATE)


def report_pulses(shipped: runtime.Shipped) -> None:
    kinds, sounds = zip(*pulses(), strict=True)
    heard = Heard(heard_by(shipped), list(sounds))
    for kind in dict.fromkeys(kinds):
        said = [answer for answer, one in zip(heard.at(shipped.task.threshold), kinds, strict=True) if one == kind]
        print(f"| {kind} | {accepted(said)} |", flush=True)


def _unit(values: np.ndarray) -> np.ndarray:
    return values / values.std()


def telephone(sound: Audio) -> Audio:
    """At 8 kHz, in 256 steps of mu-law (G.711), and back."""
    low = resample(sound, 8000).samples
    coded = np.round(127.5 * (1 + np.sign(low) * np.log1p(255 * np.abs(low)) / np.log(256)))
    steps = coded / 127.5 - 1
    return resample(Audio((np.sign(steps) * (256 ** np.abs(steps) - 1) / 255).astype(np.float32), 8000), RATE)


def pocketsphinx(sentences: list[str]) -> Hear:
    """As in the frozen baseline: a JSGF grammar of the sentences, whole utterances."""
    from pocketsphinx import Decoder

    grammar = Path(tempfile.gettempdir()) / f"closed-{os.getpid()}.gram"
    grammar.write_text("#JSGF V1.0;\ngrammar g;\npublic <s> = " + " | ".join(sentences).lower() + " ;\n")
    decoder = Decoder(samprate=RATE, loglevel="FATAL", lm=None, jsgf=str(grammar))
    grammar.unlink()

    def hear(sound: Audio) -> tuple[str, float]:
        decoder.start_utt()
        decoder.process_raw((np.clip(sound.samples, -1, 1) * 32767).astype("int16").tobytes(), False, True)
        decoder.end_utt()
        found = decoder.hyp()
        return (found.hypstr.upper() if found else ""), 1.0

    return hear


class Heard:
    """Answers to recordings, how sure they are, and the CPU seconds that they took."""

    def __init__(self, hear: Hear, sounds: list[Audio]) -> None:
        self.answers, self.sure, self.seconds = [], [], []
        for sound in sounds:
            start = time.process_time()
            answer, sure = hear(sound)
            self.seconds.append(time.process_time() - start)
            self.answers.append(answer)
            self.sure.append(sure)
        self.rtf = sum(self.seconds) / max(sum(sound.seconds for sound in sounds), 1e-9)

    def at(self, threshold: float) -> list[str]:
        return [answer if sure >= threshold else "" for answer, sure in zip(self.answers, self.sure, strict=True)]


def words_wrong(answers: list[str], texts: list[str]) -> float:
    return error_rate([answer.split() for answer in answers], [text.split() for text in texts])


def rate(times: int, of: int) -> str:
    low, high = binomial(times, of, level=0.95)
    return f"{times} of {of} = {times / of:.3f} ({low:.3f} to {high:.3f})"


def closed(splits: Splits) -> tuple[tasks.Recognize, Dataset]:
    ids = HERE.joinpath("grammar_utterances.txt").read_text().split()
    rows = splits.test.take([splits.test.ids.index(name) for name in ids])
    texts = [str(text) for text in rows.values("text")]
    return tasks.Recognize(splits, input="audio", target="text", tokens="phones", lexicon="lexicon.txt",
                           grammar=texts, groups=["speaker"]), rows


def main() -> None:
    given = arguments()
    splits = data.load("speechocean762", validation=True, stress=False).split(parts="split")
    task, rows = closed(splits)
    if not given.file.exists():
        model = nn.load(given.model)
        point = tasks.operate(task, model, splits.validation, batch=8, false_rejects=0.05)
        export.write(model, point, given.file)
    shipped = runtime.load(given.file)
    print("operating point:", dict(shipped.task.operating), flush=True)
    if given.pulses:
        report_pulses(shipped)
    if given.look:
        report(shipped, splits, rows, given)


def report(shipped: runtime.Shipped, splits: Splits, rows: Dataset, given: argparse.Namespace) -> None:
    task = shipped.task
    texts, sounds = [str(text) for text in rows.values("text")], task.read(rows)
    known = set(splits.train.values("text")) | set(splits.validation.values("text"))
    scored = [place for place, text in enumerate(texts) if text not in known]
    others = [place for place, text in enumerate(splits.test.values("text")) if text not in set(texts)]
    drawn = np.random.default_rng(0).permutation(others)[: given.others]
    outside = task.read(splits.test.take(drawn))
    print(f"{date.today()}, two cores, shared; {len(scored)} of {len(rows)} sentences scored, "
          f"{given.file.stat().st_size / 1e6:.2f} MB\n\n"
          "| | accepting all | at the operating point | pocketsphinx 5.1.1 |\n|---|---|---|---|", flush=True)
    ours, theirs = heard_by(shipped), pocketsphinx(texts)
    inside = line("word error rate, and sentences wrong", ours, theirs, task.threshold, sounds,
                  lambda answers: f"{words_wrong(*_of(answers, texts, scored)):.3f}, " + rate(
                      sum(answers[i] != texts[i] for i in scored), len(scored)))
    refused = rate(sum(inside[0].at(task.threshold)[i] == "" for i in scored), len(scored))
    print(f"| refused | | {refused} | {rate(sum(inside[1].answers[i] == '' for i in scored), len(scored))} |")
    print(f"| real-time factor | {inside[0].rtf:.4f} | the same | {inside[1].rtf:.4f} |")
    p50 = [" and ".join(f"{1000 * value:.0f}" for value in np.percentile(one.seconds, [50, 95])) for one in inside]
    print(f"| CPU ms a recording, p50 and p95 | {p50[0]} | the same | {p50[1]} |")
    line("no speech accepted", ours, theirs, task.threshold, [sound for _, sound in no_speech()], accepted)
    telephoned = [telephone(sound) for sound in sounds]
    line("telephone (8 kHz, mu-law): word error rate", ours, theirs, task.threshold, telephoned,
         lambda answers: f"{words_wrong(*_of(answers, texts, scored)):.3f}")
    (others_heard, _) = line(f"speech outside the grammar accepted (pocketsphinx: of {PEER})", ours, theirs,
                             task.threshold, outside, accepted)
    exact = np.quantile([inside[0].sure[i] for i in scored], 0.05, method="higher")
    print("\nAt the threshold that refuses 5 % of these very recordings: outside accepted "
          f"{rate(sum(sure >= exact for sure in others_heard.sure), len(drawn))}.")


def line(what: str, ours: Hear, theirs: Hear, threshold: float, sounds: list[Audio],
         judged: Callable[[list[str]], str]) -> tuple[Heard, Heard]:
    """One row of the table."""
    here, peer = Heard(ours, sounds), Heard(theirs, sounds[:PEER])
    print(f"| {what} | {judged(here.answers)} | {judged(here.at(threshold))} | {judged(peer.answers)} |", flush=True)
    return here, peer


def heard_by(shipped: runtime.Shipped) -> Hear:
    hear = shipped.task.at(threshold=0.0).recognizer(shipped)

    def heard(sound: Audio) -> tuple[str, float]:
        found = hear(sound)
        return (found[0].text, found[0].confidence) if found else ("", 0.0)

    return heard


def accepted(answers: list[str]) -> str:
    return rate(sum(map(bool, answers)), len(answers))


def _of(answers: list[str], texts: list[str], places: list[int]) -> tuple[list[str], list[str]]:
    return [answers[place] for place in places], [texts[place] for place in places]


if __name__ == "__main__":
    main()
