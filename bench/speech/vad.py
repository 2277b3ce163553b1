"""Voice activity on held-out speakers in held-out noise, beside Silero; what fires on no speech; what a second costs.

    PYTHONPATH=. OMP_NUM_THREADS=1 python bench/speech/vad.py FILE [--silero silero_vad.onnx] [--music FOLDER]

FILE is what `linnet run recipes/speech-activity.yaml` ships. Each of the test speakers' sentences is heard in every
kind of noise at every SNR: babble of six other test speakers, hum, knocks, and music (recordings below FOLDER, such as
those of a Debian package; else synthesised), none of it in training. Error: the share of 10 ms steps whose answer is
wrong, the truth being the rule of `data.energy` on the clean sentence. Silero is asked as it comes (0.5) and with
threshold and smoothing chosen on our validation part by the same rule as ours (the least error). Needs LINNET_DATA.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet import data, runtime
from linnet.data import Audio
from linnet.data.sources import speech_activity as made
from linnet.evidence.intervals.bootstrap import bca
from linnet.speech.activity import Observed, Rule, events_of, frame_labels, shifted
from linnet.speech.activity.silero import FRAME_MS, Silero
from linnet.tasks.detecting import chosen_rule

SNRS_DB = (0, 5, 10, 20)
STEP_MS = 10.0
CALM = ("silence", "tones", "white noise")


@dataclass
class Heard:
    """A detector: posteriors of a sound, and the rule by which they become events."""

    posteriors: Callable[[NDArray[np.float32]], NDArray[np.floating]]
    rule: Rule
    frame_ms: float
    delay_ms: float

    def steps(self, samples: NDArray[np.float32]) -> NDArray[np.int64]:
        """1 for each 10 ms of speech."""
        events = events_of(self.posteriors(samples), ["speech"], self.rule, frame_ms=self.frame_ms)
        return frame_labels(shifted(events, self.delay_ms), ["speech"], frames=len(samples) * 100 // made.RATE_HZ,
                            frame_ms=STEP_MS)


def ours(path: Path) -> tuple[Heard, runtime.Shipped]:
    """The shipped file at the operating point that its card carries."""
    shipped = runtime.load(path)
    task: Any = shipped.task
    return Heard(lambda samples: task.posteriors(shipped(task.prepare([Audio(samples, made.RATE_HZ)])))[0],
                 task.rule, task.frame_ms, task.delay_ms), shipped


def tuned(silero: Silero, given: str) -> Rule:
    """Threshold and smoothing with the least error on the validation part, as ours were chosen."""
    part = data.load(given).where(split="validation")
    seen = []
    for sound, spans in zip(part.decode("audio"), part.values("speech"), strict=True):
        assert isinstance(sound, Audio)
        silero.reset()
        truths = [made_event(span) for span in spans]
        seen.append(Observed(silero.posteriors(sound.samples), truths, sound.seconds))
    return chosen_rule(seen, ["speech"], Rule(), times=(FRAME_MS, 0.0), wanted={})


def made_event(span: dict[str, Any]) -> Any:
    from linnet.speech.activity import Event

    return Event("speech", span["start"], span["end"])


def songs(folder: Path | None) -> list[NDArray[np.float32]]:
    """The first half minute of every recording below the folder that lasts as long."""
    found = []
    for path in sorted(folder.rglob("*.ogg")) if folder else ():
        sound = data.resample(data.read_audio(path), made.RATE_HZ)
        if sound.seconds >= 30:
            found.append(sound.samples[10 * made.RATE_HZ : 40 * made.RATE_HZ])
    return found


def clips(speakers: int, music: list[NDArray[np.float32]]) -> list[tuple[str, int, str, NDArray[np.float32], Any]]:
    """(noise, SNR, speaker, samples, truth): one sentence a speaker, in every noise at every SNR."""
    part = data.load("speechocean762").where(split="test")
    names = [str(name) for name in part.values("speaker")]
    rng = np.random.default_rng(101)
    order = rng.permutation(sorted(set(names)))
    rows = [int(rng.choice([row for row, name in enumerate(names) if name == who])) for who in order[: speakers + 30]]
    sounds = [data.resample(sound, made.RATE_HZ) for sound in part.take(rows).decode("audio")]  # type: ignore[arg-type]
    chorus = [sound.samples for sound in sounds[speakers:]]
    found = []
    for number, sound in enumerate(sounds[:speakers]):
        for kind in ("babble", "hum", "impulses", "music"):
            for snr_db in SNRS_DB:
                rng = np.random.default_rng([103, number])  # the same pauses and the same noise at every SNR
                voices = [chorus[place] for place in rng.permutation(len(chorus))[:6]]
                if kind == "music" and music:
                    kind_, voices = "babble", [music[rng.integers(len(music))]]
                else:
                    kind_ = kind
                clip = made.clip("x", sound, "x", split="test", noise=(kind_, snr_db, voices), rng=rng)
                truth = frame_labels([made_event(span) for span in clip.spans], ["speech"],
                                     frames=len(clip.sound.samples) * 100 // made.RATE_HZ, frame_ms=STEP_MS)
                found.append((kind, snr_db, str(order[number]), clip.sound.samples, truth))
    return found


def calm(name: str, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Ten seconds of each: nothing of it is speech."""
    time_s = np.arange(10 * made.RATE_HZ) / made.RATE_HZ
    if name == "silence":
        return [np.zeros(len(time_s), np.float32)]
    if name == "tones":
        return [(level * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32) for hertz in (100, 440, 1000, 3000)
                for level in (0.01, 0.3)]
    return [(level * rng.standard_normal(len(time_s))).astype(np.float32) for level in (0.001, 0.01, 0.1)]


def cost(shipped: runtime.Shipped, silero: Silero, sounds: list[NDArray[np.float32]]) -> dict[str, float]:
    """CPU milliseconds a second of sound: likelihoods as each streams, our events and whole recordings beside them.

    The least of five rounds.
    """
    seconds = sum(map(len, sounds)) / made.RATE_HZ
    task: Any = shipped.task
    streams = {steps: runtime.Stream(shipped, steps=steps) for steps in (1, 4, 8)}

    def stream(steps: int, *, has_events: bool = False) -> None:
        for samples in sounds:
            live, one = task.live(), streams[steps]
            one.reset()
            for start in range(0, len(samples), one.block_samples):
                answer = one.update(samples[start : start + one.block_samples])
                if answer is not None:
                    heard = task.posteriors(answer)[0]
                    if has_events:
                        live.update(heard)

    def peer() -> None:
        for samples in sounds:
            silero.reset()
            silero.posteriors(samples)

    def whole() -> None:
        for samples in sounds:
            shipped(task.prepare([Audio(samples, made.RATE_HZ)]))

    runs: dict[str, Callable[[], None]] = {
        "Silero, as it streams (32 ms)": peer, "ours, as it streams (40 ms)": lambda: stream(1),
        "ours, as it streams (160 ms)": lambda: stream(4), "ours, as it streams (320 ms)": lambda: stream(8),
        "ours, and its events (40 ms)": lambda: stream(1, has_events=True),
        "ours, whole recordings": whole}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(5):
        for name, run in runs.items():
            before = time.process_time()
            run()
            spent[name].append(1000 * (time.process_time() - before) / seconds)
    return {name: min(times) for name, times in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--freeze", type=Path, help="without FILE: write what Silero reaches, as JSON")
    parser.add_argument("--silero", type=Path)
    parser.add_argument("--music", type=Path)
    parser.add_argument("--data", default="speech_activity")
    parser.add_argument("--speakers", type=int, default=25)
    given = parser.parse_args()
    silero = Silero(given.silero)

    def fresh(samples: NDArray[np.float32]) -> NDArray[np.float64]:
        silero.reset()
        return silero.posteriors(samples)

    plain = Heard(fresh, Rule(0.5), FRAME_MS, 0.0)
    detectors = {"Silero at 0.5": plain, "Silero, tuned": replace(plain, rule=tuned(silero, given.data))}
    shipped = None
    if given.file:
        own, shipped = ours(given.file)
        detectors = {"ours": own, **detectors}
    music = songs(given.music)
    heard = clips(given.speakers, music)
    kind = [one[0] for one in heard]
    snr, who = np.array([one[1] for one in heard]), np.array([one[2] for one in heard])
    wrong = {name: np.array([np.mean(one.steps(samples) != truth) for *_, samples, truth in heard])
             for name, one in detectors.items()}
    if shipped is None:
        frozen = {name: {f"{one} {level} dB": round(float(values[(snr == level) & (np.array(kind) == one)].mean()), 5)
                         for one in dict.fromkeys(kind) for level in SNRS_DB} for name, values in wrong.items()}
        given.freeze.write_text(json.dumps({"what": "share of 10 ms steps that are wrong", "clips": len(heard),
                                            "rules": {name: str(one.rule) for name, one in detectors.items()},
                                            "error": frozen}, indent=1) + "\n")
        return
    print(f"Operating points: {', '.join(f'{name} {one.rule}' for name, one in detectors.items())}.")
    print(f"{len(set(who))} speakers, {len(heard)} clips; music: "
          f"{f'{len(music)} recordings' if music else 'synthesised'}; error in % of 10 ms steps.\n")
    print("| noise | SNR (dB) | " + " | ".join(detectors) + " |\n|---|---|" + "---|" * len(detectors))
    for name in (*dict.fromkeys(kind), "all"):
        for level in SNRS_DB:
            rows = (snr == level) & np.array([name in ("all", one) for one in kind])
            cells = [f"{100 * each[rows].mean():.1f}" for each in wrong.values()]
            print(f"| {name} | {level} | " + " | ".join(cells) + " |")
    print("\n| SNR (dB) | ours less Silero, tuned (points; 95 % over speakers) | ours less Silero at 0.5 |\n"
          "|---|---|---|")
    for words, rows in [*((str(level), snr == level) for level in SNRS_DB), ("5 and above", snr >= 5)]:
        cells = []
        for peer in ("Silero, tuned", "Silero at 0.5"):
            differences = 100 * (wrong["ours"] - wrong[peer])[rows]
            low, high = bca(differences, clusters=who[rows])
            cells.append(f"{differences.mean():+.1f} ({low:+.1f} to {high:+.1f})")
        print(f"| {words} | " + " | ".join(cells) + " |")
    print("\n| fires on | " + " | ".join(detectors) + " |\n|---|" + "---|" * len(detectors))
    for name in CALM:
        sounds = calm(name, np.random.default_rng(5))
        fired = [np.mean([one.steps(samples).mean() for samples in sounds]) for one in detectors.values()]
        print(f"| {name} | " + " | ".join(f"{100 * share:.1f} %" for share in fired) + " |")
    print("\n| CPU ms a second of sound | |\n|---|---|")
    for name, spent in cost(shipped, silero, [one[3] for one in heard[:12]]).items():
        print(f"| {name} | {spent:.2f} |")


if __name__ == "__main__":
    main()
