"""Pronunciation on speechocean762: the scorer beside plain goodness and the text alone, and what a wrong text scores.

    PYTHONPATH=. python bench/speech/pronunciation.py phones.onnx pronunciation.onnx [--part validation] [--keep X.npz]
    PYTHONPATH=. python bench/speech/pronunciation.py --text-alone > bench/results/speech/baselines/pronunciation.json

Official split, rows marked approximate left out. "Other recording": the same text and scorer, fed another recording of
the same speaker (the next one in the data's order). "Wrong text": the same recording, with the text of another
recording of the part that has as many words, plus or minus one, drawn by seed 0; the utterance counts where its total
is higher with the right text. The text alone: ridge regression on each phone with its neighbours and its place.
Intervals are percentiles of 200 draws of whole speakers. `--keep` keeps what was heard, so that it is heard once.
Needs LINNET_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from numpy.typing import NDArray

from linnet import data, runtime, tasks
from linnet.tasks.inputs.spoken import Acoustic, Heard, by_word

Row = dict[str, NDArray[np.float64]]
"""Of one recording: marks given and wanted, by level."""
LEVELS = ("phones", "words", "total")
DRAWS = 200


def load(part: str) -> data.Dataset:
    """The part's rows whose scores are exact."""
    whole = data.load("speechocean762", stress=False, marks=True, validation=True, approximate=False)
    found: data.Dataset = getattr(whole.split(parts="split", by="speaker"), part)
    return found


class Ears:
    """An acoustic model that keeps its answers by recording, on disk where a file is given."""

    def __init__(self, acoustic: Acoustic, dataset: data.Dataset, file: Path | None) -> None:
        self.file, self.kept = file, dict(np.load(file)) if file and file.exists() else {}
        self.seconds = dict(zip(dataset.ids, data.describe_audio(dataset, "audio").seconds, strict=True))
        missing = [row for row, name in enumerate(dataset.ids) if name not in self.kept]
        for row in missing:
            (sound,) = dataset.take([row]).decode("audio")
            self.kept[dataset.ids[row]] = acoustic.hear(sound).astype(np.float16)
        if missing and file:
            np.savez(file, **self.kept)

    def hearing(self, task: tasks.Assess, name: str) -> tasks.Assess:
        """The task, hearing the recording of this id whatever it is given."""
        logits = self.kept[name].astype(np.float32)[None]
        acoustic = replace(task.acoustic, predictor=lambda _: {"logits": logits})
        return task.hearing_with(acoustic)


def heard(task: tasks.Assess, ears: Ears, sound_of: str, words: Any) -> Heard:
    """The text as heard in the recording of this id."""
    silence = data.Audio(np.zeros(round(ears.seconds[sound_of] * task.sample_rate_hz), np.float32),
                         task.sample_rate_hz)
    return ears.hearing(task, sound_of).takes.hear({"audio": silence, "words": words})


def marks(scorer: runtime.Shipped, task: tasks.Assess, samples: list[Heard]) -> list[Row]:
    """The scorer's marks of each sample."""
    rows: list[Row] = []
    for start in range(0, len(samples), 64):
        asked = samples[start : start + 64]
        for said in map(json.loads, task.decode(scorer(task.prepare(asked)), asked)):
            rows.append({level: np.atleast_1d(np.array(said[level], np.float64)) for level in LEVELS})
    return rows


def pearson(given: list[Row], wanted: list[Row], level: str, rows: NDArray[np.int64]) -> float:
    """Correlation over all marks of a level that are known."""
    one, other = (np.concatenate([side[row][level] for row in rows]) for side in (given, wanted))
    known = ~np.isnan(other)
    return float(np.corrcoef(one[known], other[known])[0, 1])


def bad_f1(given: list[Row], wanted: list[Row], limit: float, rows: NDArray[np.int64]) -> float:
    """F1 of phones marked below 0.5, found as those given less than `limit`."""
    one, other = (np.concatenate([side[row]["phones"] for row in rows]) for side in (given, wanted))
    known = ~np.isnan(other)
    found, bad = one[known] < limit, other[known] < 0.5
    return float(2 * (found & bad).sum() / max(1, found.sum() + bad.sum()))


def interval(figure: Any, speakers: list[str]) -> str:
    """A figure of rows, and percentiles 2.5 and 97.5 of it over draws of whole speakers."""
    rng = np.random.default_rng(0)
    each = [np.flatnonzero(np.array(speakers) == name) for name in sorted(set(speakers))]
    draws = [figure(np.concatenate([each[pick] for pick in rng.integers(0, len(each), len(each))]))
             for _ in range(DRAWS)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{figure(np.arange(len(speakers))):.3f} ({low:.3f} to {high:.3f})"


def truth(dataset: data.Dataset) -> list[Row]:
    """The experts' marks."""
    numbers = [[[float("nan") if mark == "none" else float(mark) for mark in row] for row in dataset.values(name)]
               for name in ("phone_marks", "word_marks")]
    return [{"phones": np.array(phones), "words": np.array(words), "total": np.array([float(total)])}
            for phones, words, total in zip(*numbers, dataset.values("total"), strict=True)]


def facts(dataset: data.Dataset) -> list[list[dict[str, float]]]:
    """What a text alone says of each phone."""
    found = []
    for phones, lengths in zip(dataset.values("phones"), dataset.values("word_lengths"), strict=True):
        around = ["#", *phones, "#"]
        places = [(place, int(size)) for size in lengths for place in range(int(size))]
        found.append([{around[n + 1]: 1.0, f"{around[n]}<{around[n + 1]}": 1.0, f"{around[n + 1]}>{around[n + 2]}": 1.0,
                       "begins": float(place == 0), "ends": float(place == size - 1), "size": size / 5}
                      for n, (place, size) in enumerate(places)])
    return found


def text_alone(train: list[data.Dataset], part: data.Dataset) -> list[Row]:
    """Marks of phones predicted from the text, a word's and the whole's the mean of their phones'."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import Ridge

    given = [fact for dataset in train for row in facts(dataset) for fact in row]
    wanted = np.concatenate([row["phones"] for dataset in train for row in truth(dataset)])
    known = np.flatnonzero(~np.isnan(wanted))
    names = DictVectorizer()
    model = Ridge(alpha=10).fit(names.fit_transform([given[place] for place in known]), wanted[known])
    rows = []
    for said, lengths in zip(facts(part), part.values("word_lengths"), strict=True):
        phones = model.predict(names.transform(said))
        ends = np.cumsum(list(map(int, lengths)))
        words = np.array([piece.mean() for piece in np.split(phones, ends[:-1])])
        rows.append({"phones": phones, "words": words, "total": np.array([phones.mean()])})
    return rows


def plain(samples: list[Heard]) -> list[Row]:
    """Goodness of pronunciation as it is; a word's and the whole's the mean of their phones'."""
    rows = []
    for one in samples:
        phones, ends = one.phones[:, 0], np.cumsum([len(word) for word in one.words])
        rows.append({"phones": phones, "words": np.array([piece.mean() for piece in np.split(phones, ends[:-1])]),
                     "total": np.array([phones.mean()])})
    return rows


def others(dataset: data.Dataset) -> tuple[list[int], list[int]]:
    """For each row: another recording of the speaker, and a row whose text has about as many words."""
    rng, speakers, texts = np.random.default_rng(0), dataset.values("speaker"), dataset.values("text")
    sizes = np.array([len(row) for row in dataset.values("word_lengths")])
    own = [np.flatnonzero(np.array(speakers) == name) for name in speakers]
    following = [int(rows[(int(np.flatnonzero(rows == row)[0]) + 1) % len(rows)]) for row, rows in enumerate(own)]
    wrong = []
    for row, size in enumerate(sizes):
        fitting = [other for other in np.flatnonzero(np.abs(sizes - size) <= 1) if texts[other] != texts[row]]
        wrong.append(int(rng.choice(fitting)))
    return following, wrong


def line(name: str, given: list[Row], wanted: list[Row], speakers: list[str], limit: float | None) -> str:
    """A row of the table."""
    cells = [interval(lambda rows, level=level: pearson(given, wanted, level, rows), speakers) for level in LEVELS]
    f1 = "" if limit is None else interval(lambda rows: bad_f1(given, wanted, limit, rows), speakers)
    return f"| {name} | {' | '.join(cells)} | {f1} |"


def baselines() -> None:
    """What is known without a sound, frozen before any scorer."""
    test, train = load("test"), [load("train"), load("validation")]
    given, wanted, rows = text_alone(train, test), truth(test), np.arange(len(test))
    print(json.dumps({"text alone": {f"{level}_pearson": round(pearson(given, wanted, level, rows), 4)
                                     for level in LEVELS}, "rows": len(test)}, indent=1))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phones", nargs="?")
    parser.add_argument("scorer", nargs="?")
    parser.add_argument("--part", default="test", choices=["validation", "test"])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--text-alone", action="store_true")
    asked = parser.parse_args()
    if asked.text_alone:
        baselines()
        return
    scorer = runtime.load(asked.scorer)
    task = scorer.task
    assert isinstance(task, tasks.Assess)
    task = task.hearing_with(runtime.load(asked.phones))
    part = load(asked.part)
    ears, words = Ears(task.acoustic, part, asked.keep), [by_word(*pair) for pair in zip(
        part.values("phones"), part.values("word_lengths"), strict=True)]
    following, wrong = others(part)
    right = [heard(task, ears, name, said) for name, said in zip(part.ids, words, strict=True)]
    elsewhere = [heard(task, ears, part.ids[other], said) for other, said in zip(following, words, strict=True)]
    mistaken = [heard(task, ears, name, words[other]) for name, other in zip(part.ids, wrong, strict=True)]
    wanted, speakers = truth(part), list(map(str, part.values("speaker")))
    given = marks(scorer, task, right)
    print(f"| {len(part)} utterances of {len(set(speakers))} speakers | phone PCC | word PCC | total PCC | "
          "F1 of phones below 0.5 |\n|---|---|---|---|---|")
    print(line("text alone", text_alone([load("train"), *([load("validation")] if asked.part == "test" else [])], part),
               wanted, speakers, None))
    print(line("goodness alone", plain(right), wanted, speakers, None), flush=True)
    print(line("scorer", given, wanted, speakers, task.bad_below))
    swapped = marks(scorer, task, elsewhere)
    print(line("scorer, other recording of the speaker", swapped, wanted, speakers, task.bad_below))
    gain = interval(lambda rows: pearson(given, wanted, "phones", rows) - pearson(swapped, wanted, "phones", rows),
                    speakers)
    higher = np.array([one["total"][0] > other["total"][0]
                       for one, other in zip(given, marks(scorer, task, mistaken), strict=True)])
    print(f"\nPhone PCC gained over the other recording: {gain}.")
    print(f"Right text above wrong text: {interval(lambda rows: float(higher[rows].mean()), speakers)}.")
    print(f"Highest total of 20 texts over two seconds without speech: {nothing(scorer, task, words)}.")


def nothing(scorer: runtime.Shipped, task: tasks.Assess, words: list[Any]) -> str:
    """What sounds without speech are given."""
    rng, rate = np.random.default_rng(0), task.sample_rate_hz
    sounds = {"silence": np.zeros(2 * rate), "noise": rng.normal(0, 0.1, 2 * rate),
              "a tone": 0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)}
    said = []
    for name, sound in sounds.items():
        asked = [task.takes.hear({"audio": data.Audio(sound.astype(np.float32), rate), "words": text})
                 for text in words[::max(1, len(words) // 20)][:20]]
        said.append(f"{name} {max(row['total'][0] for row in marks(scorer, task, asked)):.1f}")
    return ", ".join(said)


if __name__ == "__main__":
    main()
