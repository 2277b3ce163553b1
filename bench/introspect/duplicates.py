"""Near duplicates that were planted: how many are found, how many of those found are others; DNIKit, Datalab beside.

    PYTHONPATH=. PYTHON bench/introspect/duplicates.py WHAT [--seeds 20] [--first 0] [--others] [--no-embeddings]

WHAT is digits (pixels and embeddings), scale (100,000 x 256), sounds (FSDD), images (CIFAR-10) or texts (CLINC150).
PYTHON has torch, scikit-learn and the peers beside Linnet's own packages: cleanlab[datalab], dnikit; without a peer its
rows are left out. Data lies in $LINNET_DATA. Everything was chosen on seeds from 100 on; the tables are of other ones.
--others also prints what is found beside the planted pairs, to be looked at. A sample found is right if it is in a
planted pair (the protocol of the peers); a pair found is right if both are made from one original.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))
DATA = Path(os.environ.get("LINNET_DATA", "data"))
Sets = list[tuple[int, ...]]
Search = Callable[[NDArray[np.float32]], Sets]


def linnet(vectors: Any) -> Sets:
    """The pairs of near_duplicates."""
    return [(int(a), int(b)) for a, b in (f.evidence["ids"] for f in _look(vectors))]


def lenient(vectors: Any) -> Sets:
    """The same with one false pair in five allowed, about as many as the peers have on embeddings."""
    return [(int(a), int(b)) for a, b in (f.evidence["ids"] for f in _look(vectors, rate=0.2))]


def datalab(vectors: NDArray[np.float32]) -> Sets:
    """Datalab's near_duplicate sets, with its outlier check, without which it does not choose its own search."""
    from cleanlab import Datalab

    lab = Datalab({"y": np.arange(len(vectors)) % 10}, label_name="y", verbosity=0)
    lab.find_issues(features=vectors, issue_types={"near_duplicate": {}, "outlier": {}})
    issues = lab.get_issues("near_duplicate")
    return [(row, *map(int, others)) for row, (flag, others) in enumerate(
        zip(issues["is_near_duplicate_issue"], issues["near_duplicate_sets"], strict=True)) if flag]


def dnikit(vectors: NDArray[np.float32]) -> Sets:
    """DNIKit's Duplicates, as it comes."""
    import dnikit.introspectors as introspectors
    from dnikit.base import Batch, Producer

    class Rows(Producer):  # type: ignore[misc]
        def __call__(self, size: int) -> Iterable[Any]:
            for start in range(0, len(vectors), size):
                yield Batch({"r": vectors[start : start + size]})

    found = introspectors.Duplicates.introspect(Rows())
    return [tuple(map(int, cluster.indices)) for cluster in found.results["r"]]


SEARCHES: dict[str, Search] = {"Linnet": linnet, "Linnet, rate 0.2": lenient, "Datalab": datalab, "DNIKit": dnikit}


def digits(given: argparse.Namespace) -> None:
    """30 copies with noise among 1847 digits, by pixels and by what the last layer of a small network says."""
    import planted
    import torch

    torch.set_num_threads(1)
    rows: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for seed in given.all_seeds:
        data = planted.build(seed)
        flat = data.images.reshape(len(data.images), -1)
        views = {"pixels": flat}
        if not given.no_embeddings:
            views["embeddings"] = planted.features(planted.train(data.images, data.labels, seed), data.images)["hidden"]
        pairs = set(zip(data.sources.tolist(), data.copies.tolist(), strict=True))
        for view, vectors in views.items():
            useful = vectors[:, vectors.std(axis=0) > 1e-8]
            for name, search in _present():
                start = time.process_time()
                sets = search(useful if name == "DNIKit" else vectors)
                rows.setdefault((view, name), []).append((*_counts(sets, pairs), time.process_time() - start))
    print(f"{len(given.all_seeds)} seeds from {given.first}; DNIKit without the constant columns, which stop it\n\n"
          "| vectors | search | recall | its worst seed | right among samples found | samples found | largest set | "
          "CPU s |\n|---|---|---|---|---|---|---|---|")
    for (view, name), values in sorted(rows.items(), key=lambda item: item[0][0] != "pixels"):
        recall, precision, flagged, largest, seconds = np.array(values).T
        print(f"| {view} | {name} | {recall.mean():.3f} | {recall.min():.3f} | {np.nanmean(precision):.3f} | "
              f"{flagged.mean():.1f} | {largest.max():.0f} | {seconds.mean():.2f} |")


def scale(given: argparse.Namespace) -> None:
    """100,000 rows of 256 numbers in 50 clouds, 200 of them copies with noise; each search in a process of its own."""
    import subprocess

    print("| search | recall | wrong among samples found | samples found | largest set | CPU s | "
          "memory above the data, MB |\n|---|---|---|---|---|---|---|", flush=True)
    for name, _ in _present():
        if name in ("Linnet", "DNIKit"):
            subprocess.run([sys.executable, __file__, f"scale-{name}", "--first", str(given.first)], check=True)


def scale_one(name: str, seed: int, count: int = 100_000, width: int = 256, copies: int = 200) -> None:
    """One row of that table."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(50, width)).astype(np.float32) * 2
    cloud = random.integers(0, 50, count)
    vectors = centres[cloud] + random.normal(size=(count, width)).astype(np.float32)
    sources = random.choice(count - copies, copies, replace=False)
    vectors[count - copies:] = vectors[sources] + random.normal(0, 0.02, (copies, width)).astype(np.float32)
    SEARCHES[name](vectors[:500])
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    sets = SEARCHES[name](vectors)
    seconds = time.process_time() - start
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    recall, precision, flagged, largest = _counts(sets, set(zip(sources.tolist(), range(count - copies, count),
                                                                 strict=True)))
    print(f"| {name} | {recall:.3f} | {1 - precision:.3f} | {flagged:.0f} | {largest:.0f} | {seconds:.1f} | "
          f"{memory:.0f} |", flush=True)


def sounds(given: argparse.Namespace) -> None:
    """400 of 3000 recordings again, a hundred each by gain, a shift of 50 ms, another rate, and Opus."""
    from linnet.data import Audio, read_audio

    clips = [read_audio(file) for file in sorted((DATA / "fsdd" / "audio").glob("*.flac"))]
    names = [file.stem for file in sorted((DATA / "fsdd" / "audio").glob("*.flac"))]

    def altered(clip: Audio, how: str, random: np.random.Generator) -> Audio:
        import soxr

        wave, rate = clip.samples, clip.sample_rate_hz
        if how == "gain":
            wave = np.clip(wave * 10 ** (random.choice([-12, -6, 6]) / 20), -1, 1)
        elif how == "shift":
            late = rate // 20
            wave = np.concatenate([np.zeros(late, np.float32), wave]) if random.random() < 0.5 else wave[late:]
        elif how == "resampling":
            rate = int(random.choice([6000, 11025, 16000]))
            wave = soxr.resample(wave, clip.sample_rate_hz, rate)
        else:
            return _through_opus(clip)
        return Audio(np.ascontiguousarray(wave, np.float32), rate)

    _media(given, clips, names, altered, ("gain", "shift", "resampling", "opus"), 100)


def images(given: argparse.Namespace) -> None:
    """300 of 5000 images again, a hundred each by a crop, another size, and JPEG."""
    import io

    import pyarrow.parquet as parquet
    from PIL import Image

    table = parquet.read_table(DATA / "cifar10" / "train.parquet").slice(0, 5000)
    pictures = [np.asarray(Image.open(io.BytesIO(cell.as_py())).convert("RGB")) for cell in table["image"]]

    def altered(pixels: NDArray[np.uint8], how: str, random: np.random.Generator) -> NDArray[np.uint8]:
        image = Image.fromarray(pixels)
        if how == "crop":
            side = int(random.integers(26, 31))
            left, top = (int(at) for at in random.integers(0, 33 - side, 2))
            image = image.crop((left, top, left + side, top + side))
            return np.asarray(image.resize((32, 32), Image.Resampling.BICUBIC) if random.random() < 0.5 else image)
        if how == "scale":
            side = int(random.choice([16, 24, 48, 64]))
            return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(random.choice([30, 50, 70])))
        return np.asarray(Image.open(buffer))

    _media(given, pictures, [str(row) for row in range(len(pictures))], altered, ("crop", "scale", "jpeg"), 100)


def texts(given: argparse.Namespace) -> None:
    """300 of 15,100 sentences again, a hundred each in other case, with punctuation, with one or two letters edited."""
    import json

    lines = (DATA / "clinc150" / "train_full.jsonl").read_text().splitlines()
    sentences = [str(json.loads(line)["text"]) for line in lines]

    def altered(text: str, how: str, random: np.random.Generator) -> str:
        if how == "case":
            return text.upper() if random.random() < 0.5 else text.title()
        if how == "punctuation":
            words = text.split()
            words[random.integers(len(words))] += ","
            return " ".join(words) + str(random.choice(["!", "?", "..", "."]))
        letters = list(text)
        for _ in range(int(random.integers(1, 3))):
            at, draw, new = int(random.integers(len(letters))), random.random(), chr(97 + int(random.integers(26)))
            if draw < 1 / 3 and len(letters) > 1:
                letters.pop(at)
            elif draw < 2 / 3:
                letters[at] = new
            else:
                letters.insert(at, new)
        return "".join(letters)

    _media(given, sentences, sentences, altered, ("case", "punctuation", "edits"), 100)


def _media(given: argparse.Namespace, originals: list[Any], names: list[str], altered: Callable[..., Any],
           ways: tuple[str, ...], each: int) -> None:
    """Plant copies, look for them, print recall by alteration and what share of the pairs found is of one original."""
    rows = []
    for seed in given.all_seeds:
        random = np.random.default_rng(seed)
        chosen = random.choice(len(originals), each * len(ways), replace=False)
        how = np.repeat(ways, each)
        copies = [altered(originals[at], str(way), random) for at, way in zip(chosen, how, strict=True)]
        made_from = np.r_[np.arange(len(originals)), chosen]
        start = time.process_time()
        findings = _look([*originals, *copies])
        seconds = time.process_time() - start
        pairs = [(int(a), int(b)) for a, b in (f.evidence["ids"] for f in findings)]
        right = [made_from[a] == made_from[b] for a, b in pairs]
        joined = {(a, b) for a, b in pairs} | {(b, a) for a, b in pairs}
        hit = np.array([(int(at), len(originals) + row) in joined for row, at in enumerate(chosen)])
        found = [np.mean(right), len(pairs), len(pairs) - sum(right), seconds]
        rows.append([*(hit[how == way].mean() for way in ways), *found])
        if given.others:
            _print_others(findings, pairs, right, made_from, names)
    table = np.array(rows)
    print(f"{len(rows)} seeds from {given.first}, {len(originals)} originals, {each} copies of each kind\n\n"
          f"| {' | '.join(f'recall, {way}' for way in ways)} | share of pairs of one original | pairs found | "
          "others | CPU s |\n|" + "---|" * (len(ways) + 4) + "\n| "
          + " | ".join([*(f"{value:.4f}" for value in table.mean(0)[: len(ways) + 1]),
                        *(f"{value:.1f}" for value in table.mean(0)[len(ways) + 1 :])]) + " |")


def _print_others(findings: Any, pairs: Sets, right: list[bool], made_from: NDArray[np.int64],
                  names: list[str]) -> None:
    print(dict(findings.facts))
    seen = set()
    for finding, pair, fits in zip(findings, pairs, right, strict=True):
        both = tuple(sorted(int(made_from[at]) for at in pair))
        if not fits and both not in seen:
            seen.add(both)
            known = finding.evidence
            print(f"{known['similarity']:.3f}  {names[both[0]]}  |  {names[both[1]]}  {known['likely']}")


def _through_opus(clip: Any) -> Any:
    import io

    import soundfile

    from linnet.data import read_audio

    buffer = io.BytesIO()
    soundfile.write(buffer, clip.samples, clip.sample_rate_hz, format="OGG", subtype="OPUS")
    return read_audio(buffer.getvalue())


def _look(given: Any, **settings: Any) -> Any:
    from linnet.introspect.duplicates import near_duplicates

    return near_duplicates(given, **settings)


def _counts(sets: Sets, pairs: set[tuple[int, int]]) -> tuple[float, float, float, float]:
    """Recall of pairs, share of the samples found that are in a planted pair, samples found, the largest set."""
    together: dict[int, set[int]] = {}
    for members in sets:
        for member in members:
            together.setdefault(member, set()).update(members)
    planted = {member for pair in pairs for member in pair}
    recall = sum(b in together.get(a, ()) for a, b in pairs) / len(pairs)
    precision = len(planted & together.keys()) / len(together) if together else float("nan")
    return recall, precision, float(len(together)), float(max(map(len, sets), default=0))


def _present() -> list[tuple[str, Search]]:
    """The searches whose package is installed."""
    import importlib.util

    packages = {"Datalab": "cleanlab", "DNIKit": "dnikit"}
    return [(name, search) for name, search in SEARCHES.items()
            if importlib.util.find_spec(packages.get(name, "linnet"))]


def main() -> None:
    """Print the table that was asked for."""
    import warnings

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    looks = {"digits": digits, "scale": scale, "sounds": sounds, "images": images, "texts": texts}
    parser.add_argument("what", help=", ".join(looks))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--no-embeddings", action="store_true")
    given = parser.parse_args()
    given.all_seeds = range(given.first, given.first + given.seeds)
    warnings.filterwarnings("ignore")
    if given.what.startswith("scale-"):
        scale_one(given.what.removeprefix("scale-"), given.first)
    else:
        looks[given.what](given)


if __name__ == "__main__":
    main()
