"""Where the training speakers of speechocean762 say digits: the table from which `digit_streams` learns more voices.

    LINNET_DATA=DATA python bench/speech/digits_said.py --ears FILE > linnet/data/sources/digits_said.csv

FILE is what recipes/speechocean762-conformer.yaml writes; the table that lies there is of an earlier network of the
same shape (45 epochs without noise and 16 with it), in float. Each sentence is laid along its recording by
`speech.alignment.align`; a word goes from its first phone to its last and on to the half of the way to its neighbours,
but at most 80 ms. Only speakers of the training part are asked (not those that the data keep for validation), whom the
ears know too, and only sentences in which nothing else sounds like a digit.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from linnet import data, runtime, tasks
from linnet.data import resample
from linnet.data.sources.digit_streams import WORDS, sounds_like_a_digit
from linnet.speech.alignment import align

FRAME_MS, ROOM = 40, 2
"""A frame of the ears, and how many a word may reach beyond its phones."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ears", type=Path, required=True)
    ears = runtime.load(parser.parse_args().ears)
    task = ears.task
    assert isinstance(task, tasks.Transcribe)
    spoken = data.load("speechocean762", validation=True, stress=False, marks=True).where(split="train")
    spoken = spoken.where(lambda row: any(word.lower() in WORDS for word in row["text"].split()) and not any(
        sounds_like_a_digit(word) and word.lower() not in WORDS for word in row["text"].split()))
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(["utterance", "word", "start_ms", "end_ms"])
    for name, text, phones, lengths, sound in zip(
            spoken.ids, spoken.values("text"), spoken.values("phones"), spoken.values("word_lengths"),
            spoken.decode("audio"), strict=True):
        samples = resample(sound, task.sample_rate_hz).samples  # type: ignore[type-var]
        logits = ears({"audio": samples[None], "lengths": np.array([len(samples)])})["logits"][0].astype(np.float64)
        likelihoods = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        found = align(likelihoods, [1 + task.labels.index(phone) for phone in phones])
        starts, ends = found.starts, found.ends
        last = np.cumsum([int(length) for length in lengths]) - 1
        for word, first, final in zip(text.split(), [0, *(last[:-1] + 1)], last, strict=True):
            if word.lower() not in WORDS:
                continue
            before = ends[first - 1] if first else 0
            after = starts[final + 1] if final + 1 < len(starts) else len(likelihoods)
            start = starts[first] - min(ROOM, (starts[first] - before) / 2)
            end = ends[final] + min(ROOM, (after - ends[final]) / 2)
            lines.writerow([name, word.lower(), round(start * FRAME_MS), round(end * FRAME_MS)])


if __name__ == "__main__":
    main()
