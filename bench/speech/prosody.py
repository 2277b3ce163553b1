"""Pitch, intensity and everything else of prosody beside Praat and openSMILE: speed, and how far they agree.

    LINNET_DATA=DATA python bench/speech/prosody.py [--recordings 40]

Recordings are drawn with seed 0 from the 625 lossless test utterances of speechocean762. Times are CPU seconds of one
thread, the ways in turn, the median of five rounds; decoding is left out. Peers: `pip install praat-parselmouth
opensmile` (the latter may not be used commercially); without them their rows are left out. Syllables are held against
the vowels of the text that was to be read, which a learner does not always say.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from linnet import data
from linnet.speech import prosody

Sounds = list[tuple[np.ndarray, int]]
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=40)
    count = parser.parse_args().recordings
    whole = data.load("speechocean762", variant="flac")
    rows = np.sort(np.random.default_rng(0).permutation(len(whole))[:count])
    media = [whole.media("audio", int(row)) for row in rows]
    sounds = [(np.asarray(sound.samples, np.float64).reshape(-1), sound.sample_rate_hz) for sound in media]
    vowels = [sum(phone[-1].isdigit() for phone in whole.values("phones")[row]) for row in rows]
    seconds = sum(len(samples) / rate for samples, rate in sounds)
    print(f"{count} recordings, {seconds:.0f} s, one thread, CPU time, median of {ROUNDS} rounds\n")
    print("| measured | by | times real time |\n|---|---|---|")
    for (what, by), each in timed(ways(), sounds).items():
        print(f"| {what} | {by} | {seconds / each:.0f} |")
    agreement(sounds, vowels)


def ways() -> dict[tuple[str, str], Callable[[np.ndarray, int], Any]]:
    """What is timed, on one recording at a time."""
    found: dict[tuple[str, str], Callable[[np.ndarray, int], Any]] = {
        ("pitch and intensity", "linnet"): lambda x, rate: (prosody.pitch(x, rate), prosody.intensity(x, rate)),
        ("all 19 measures", "linnet"): prosody.measure}
    try:
        import parselmouth

        def praat(samples: np.ndarray, rate: int) -> Any:
            sound = parselmouth.Sound(samples, rate)
            return sound.to_pitch(), sound.to_intensity()
        found["pitch and intensity", f"parselmouth {parselmouth.__version__}"] = praat
    except ImportError:
        print("parselmouth is not installed")
    try:
        import opensmile

        smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02,
                                feature_level=opensmile.FeatureLevel.Functionals)
        found["eGeMAPSv02, 88 functionals", f"openSMILE {opensmile.__version__}"] = \
            lambda x, rate: smile.process_signal(x.astype(np.float32), rate)
    except ImportError:
        print("opensmile is not installed")
    return found


def timed(found: dict[tuple[str, str], Callable[[np.ndarray, int], Any]], sounds: Sounds) -> dict[Any, float]:
    """CPU seconds for all recordings, by way; once before, to warm up."""
    times: dict[Any, list[float]] = {name: [] for name in found}
    for way in found.values():
        way(*sounds[0])
    for _ in range(ROUNDS):
        for name, way in found.items():
            start = time.process_time()
            for samples, rate in sounds:
                way(samples, rate)
            times[name].append(time.process_time() - start)
    return {name: float(np.median(taken)) for name, taken in sorted(times.items())}


def agreement(sounds: Sounds, vowels: list[int]) -> None:
    print("\n| agreement | figure |\n|---|---|")
    ours = [prosody.measure(samples, rate) for samples, rate in sounds]
    syllables = np.array([one.syllables for one in ours])
    print(f"| syllables and vowels of the text, correlation | {np.corrcoef(syllables, vowels)[0, 1]:.2f} |")
    print(f"| syllables for one vowel of the text | {syllables.sum() / sum(vowels):.2f} |")
    try:
        import parselmouth
        from parselmouth.praat import call
    except ImportError:
        return
    agree, pitches, levels, quality = [], [], [], []
    for (samples, rate), mine in zip(sounds, ours, strict=True):
        sound = parselmouth.Sound(samples, rate)
        track, heard = sound.to_pitch(), prosody.pitch(samples, rate)
        hz = track.selected_array["frequency"]
        both = (hz > 0) & heard.is_voiced
        agree += ((hz > 0) == heard.is_voiced).tolist()
        pitches += (12 * np.abs(np.log2(heard.hz[both] / hz[both]))).tolist()
        levels += np.abs(prosody.intensity(samples, rate, floor_hz=100).decibels
                         - sound.to_intensity().values[0]).tolist()
        pulses = call([sound, track], "To PointProcess (cc)")
        quality.append((mine.jitter, call(pulses, "Get jitter (local)", 0, 0, 1e-4, 0.02, 1.3), mine.shimmer,
                        call([sound, pulses], "Get shimmer (local)", 0, 0, 1e-4, 0.02, 1.3, 1.6)))
    jitter, praats_jitter, shimmer, praats_shimmer = np.array(quality).T
    for said, figure in (
            ("frames that both call voiced or unvoiced", f"{100 * np.mean(agree):.1f} %"),
            ("pitch, median difference", f"{np.median(pitches):.4f} semitones"),
            ("pitch, more than half a semitone apart", f"{100 * np.mean(np.array(pitches) > 0.5):.2f} % of frames"),
            ("intensity, largest difference", f"{np.max(levels):.2f} dB"),
            ("jitter, correlation and median difference",
             f"{np.corrcoef(jitter, praats_jitter)[0, 1]:.2f}, {np.median(np.abs(jitter - praats_jitter)):.4f}"),
            ("shimmer, correlation and median difference",
             f"{np.corrcoef(shimmer, praats_shimmer)[0, 1]:.2f}, {np.median(np.abs(shimmer - praats_shimmer)):.4f}")):
        print(f"| Praat: {said} | {figure} |")


if __name__ == "__main__":
    main()
