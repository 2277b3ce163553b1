"""A closed grammar of 98 sentences: word errors, time, and what is accepted that should not be; beside pocketsphinx.

    LINNET_DATA=DATA python bench/speech/grammar.py --model MODEL --file closed.onnx [--others 1000]

MODEL is the acoustic model of recipes/speechocean762-closed.yaml (or of another recipe over the 39 phones), as nn.save
writes it; it goes, with its decoder, into --file, unless that is there already. pocketsphinx comes with `pip install pocketsphinx`; without it its
columns are empty. The utterances are those of grammar_utterances.txt: of 200 test utterances drawn with seed 0 the
first hundred, two left out whose words pocketsphinx does not know. Sentences that the training part has too are not
scored. The operating point is chosen on the validation speakers, their sentences dealt into grammars; the test part is
looked at once, after that. Times are CPU seconds of one thread, the network and the decoder included, opening and
decoding the recording not. Out of the grammar are other test utterances, drawn with seed 0. What is no speech is made
here: silence, noises, tones, clicks.
"""

from __future__ import annotations

import argparse
import os
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
Hear = Callable[[Audio], str]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--others", type=int, default=1000)
    parser.add_argument("--look", action="store_true", help="at the test part; without, only at validation")
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


def _unit(values: np.ndarray) -> np.ndarray:
    return values / values.std()


def telephone(sound: Audio) -> Audio:
    """At 8 kHz, in 256 steps of mu-law (G.711), and back."""
    low = resample(sound, 8000).samples
    coded = np.round(127.5 * (1 + np.sign(low) * np.log1p(255 * np.abs(low)) / np.log(256)))
    steps = coded / 127.5 - 1
    return resample(Audio((np.sign(steps) * (256 ** np.abs(steps) - 1) / 255).astype(np.float32), 8000), RATE)


def pocketsphinx(sentences: list[str]) -> Hear | None:
    """As in the frozen baseline: a JSGF grammar of the sentences, whole utterances."""
    try:
        from pocketsphinx import Decoder
    except ImportError:
        return None
    grammar = Path(os.environ.get("TMPDIR", "/tmp")) / f"closed-{os.getpid()}.gram"
    grammar.write_text("#JSGF V1.0;\ngrammar g;\npublic <s> = " + " | ".join(sentences).lower() + " ;\n")
    decoder = Decoder(samprate=RATE, loglevel="FATAL", lm=None, jsgf=str(grammar))
    grammar.unlink()

    def hear(sound: Audio) -> str:
        decoder.start_utt()
        decoder.process_raw((np.clip(sound.samples, -1, 1) * 32767).astype("int16").tobytes(), False, True)
        decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr.upper() if found else ""

    return hear


class Heard:
    """Answers to recordings, and the CPU seconds that they took."""

    def __init__(self, hear: Hear, sounds: list[Audio]) -> None:
        self.answers, self.seconds = [], []
        for sound in sounds:
            start = time.process_time()
            self.answers.append(hear(sound))
            self.seconds.append(time.process_time() - start)
        self.rtf = sum(self.seconds) / max(sum(sound.seconds for sound in sounds), 1e-9)


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
        export.write(model, point, given.file, samples=splits.validation.take(range(16)))
    shipped = runtime.load(given.file)
    print("operating point:", dict(shipped.task.operating), flush=True)
    if given.look:
        report(shipped, splits, rows, given)


def report(shipped: runtime.Shipped, splits: Splits, rows: Dataset, given: argparse.Namespace) -> None:
    task = shipped.task
    texts, sounds = [str(text) for text in rows.values("text")], task.read(rows)
    known = set(splits.train.values("text")) | set(splits.validation.values("text"))
    scored = [place for place, text in enumerate(texts) if text not in known]
    free, peer = task.at(threshold=0.0), pocketsphinx(texts)
    hear = {"accepting all": heard_by(shipped, free), "at the operating point": heard_by(shipped, task)}
    if peer:
        hear["pocketsphinx 5.1.1"] = peer
    others = [place for place, text in enumerate(splits.test.values("text")) if text not in set(texts)]
    drawn = np.random.default_rng(0).permutation(others)[: given.others]
    outside = {name: Heard(one, (task.read(splits.test.take(drawn[: 200 if name.startswith("pocket") else None]))))
               for name, one in hear.items() if name != "accepting all"}
    empty = dict(no_speech())
    print(f"{date.today()}, two cores, shared; {len(scored)} of {len(rows)} sentences scored, "
          f"{given.file.stat().st_size / 1e6:.2f} MB\n")
    print("| | " + " | ".join(hear) + " |\n|---|" + "---|" * len(hear))
    inside = {name: Heard(one, sounds) for name, one in hear.items()}

    def by_telephone(one: Hear) -> str:
        heard = Heard(one, [telephone(sound) for sound in sounds])
        return f"{words_wrong(*_of(heard.answers, texts, scored)):.3f}"

    lines = {
        "word error rate": lambda name: f"{words_wrong(*_of(inside[name].answers, texts, scored)):.3f}",
        "sentences wrong": lambda name: rate(sum(inside[name].answers[i] != texts[i] for i in scored), len(scored)),
        "refused": lambda name: rate(sum(not inside[name].answers[i] for i in scored), len(scored)),
        "real-time factor": lambda name: f"{inside[name].rtf:.4f}",
        "p50 and p95, CPU ms": lambda name: " and ".join(
            f"{1000 * value:.0f}" for value in np.percentile(inside[name].seconds, [50, 95])),
        "speech outside the grammar accepted": lambda name: _accepted(outside.get(name)),
        "no speech accepted": lambda name: _accepted(Heard(hear[name], list(empty.values()))),
        "telephone (8 kHz, mu-law): word error rate": lambda name: by_telephone(hear[name]),
    }
    for what, line in lines.items():
        print(f"| {what} | " + " | ".join(line(name) for name in hear) + " |", flush=True)
    sure_inside = confidences(shipped, free, [sounds[i] for i in scored])
    sure_outside = confidences(shipped, free, task.read(splits.test.take(drawn)))
    exact = np.quantile(sure_inside, 0.05, method="higher")
    print(f"\nAt the threshold that refuses 5 % of these very recordings: outside accepted "
          f"{rate(int((sure_outside >= exact).sum()), len(sure_outside))}.")


def heard_by(shipped: runtime.Shipped, task: tasks.Recognize) -> Hear:
    return lambda sound: task.decode(shipped(task.prepare([sound])), [sound])[0]


def confidences(shipped: runtime.Shipped, task: tasks.Recognize, sounds: list[Audio]) -> np.ndarray:
    hear = task.recognizer(shipped)
    return np.array([found[0].confidence if (found := hear(sound)) else 0.0 for sound in sounds])


def _accepted(heard: Heard | None) -> str:
    return "" if heard is None else rate(sum(map(bool, heard.answers)), len(heard.answers))


def _of(answers: list[str], texts: list[str], places: list[int]) -> tuple[list[str], list[str]]:
    return [answers[place] for place in places], [texts[place] for place in places]


if __name__ == "__main__":
    main()
