"""Data health: realised false alarms, what is found of planted differences and faults, and what it costs.

    PYTHONPATH=. OMP_NUM_THREADS=1 PEERS bench/introspect/health.py [--part rates|power|faults|cost] [--runs N]

PEERS is a Python with cleanlab[datalab] beside Linnet's own packages; without it Datalab's rows are left out. "each by
itself" is what one does by hand: a Welch or Kolmogorov-Smirnov test of every question at 5 %. Rates come with the exact
95 % interval. Faults are planted in recordings of speechocean762 (FLAC), images of CIFAR-10 and texts of CLINC150;
limits of the rules are planted too. Needs LINNET_DATA for `faults` and `cost`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import scipy.stats
import soundfile
from PIL import Image, ImageFilter

from linnet import data, introspect
from linnet.data.media import Audio, resample
from linnet.evidence.intervals import binomial
from linnet.introspect import health
from linnet.introspect.health.images import measure_image
from linnet.introspect.health.issues import RULES, far_out
from linnet.introspect.health.measures import Measures
from linnet.introspect.health.sounds import measure_sound
from linnet.introspect.health.texts import measure_text

RATE, ROWS, EACH = 0.05, 300, 100
Look = Callable[[np.random.Generator], bool]


def table(rng: np.random.Generator, rows: int = ROWS, *, speakers: int = 0) -> Measures:
    """Six numbers (two with heavy tails, one nearly always 0, one of few values) and three groups; no difference."""
    base = rng.normal(size=rows)
    numbers = {"normal": base, "like it": base + rng.normal(size=rows), "cauchy": rng.standard_cauchy(rows),
               "skewed": rng.lognormal(0, 2, rows), "rare": (rng.random(rows) < 0.03) * 1.0,
               "few": rng.poisson(1, rows) * 1.0}
    groups = {"three": rng.choice(list("abc"), rows), "uneven": rng.choice(list("xyz"), rows, p=[0.9, 0.06, 0.04]),
              "twenty": rng.integers(0, 20, rows).astype(str)}
    if speakers:
        who, tag = np.arange(rows) % speakers, str(rng.integers(1 << 60))
        numbers = {name: values + 2 * rng.normal(0, 1, speakers)[who] for name, values in numbers.items()}
        groups = {"gender": rng.choice(["f", "m"], speakers)[who], "speaker": np.array([f"{tag}-{one}" for one in who])}
    return Measures("made", tuple(map(str, range(rows))), numbers,
                    labels={name: values.astype(str).tolist() for name, values in groups.items()})


def groups_told(found: Measures, **given: object) -> bool:
    """Whether the profile tells any group apart, by the test alone (no least effect)."""
    by = {name: labels for name, labels in found.labels.items() if name != "speaker"}
    clusters = found.labels["speaker"] if given.get("clusters") else None
    tests = health.groups.differences(found.numbers, by, clusters=clusters)
    return bool(tests) and tests[0].p_value <= RATE


def by_hand(found: Measures) -> bool:
    """Whether any Welch test of a group against the rest says so."""
    for labels in found.labels.values():
        for group in set(labels):
            is_in = np.array(labels) == group
            if is_in.sum() >= 10 and any(scipy.stats.ttest_ind(values[is_in], values[~is_in], equal_var=False).pvalue
                                         <= RATE for values in found.numbers.values()):
                return True
    return False


def drift_by_hand(before: Measures, after: Measures) -> bool:
    """Whether any Kolmogorov-Smirnov test of a number, or chi-square test of a group, says so."""
    numbers = [scipy.stats.ks_2samp(before.numbers[name], after.numbers[name]).pvalue for name in before.numbers]
    for name, labels in before.labels.items():
        values = sorted({*labels, *after.labels[name]})
        counts = np.array([[side.count(value) for value in values] for side in (labels, after.labels[name])])
        numbers.append(scipy.stats.chi2_contingency(counts).pvalue)
    return min(numbers) <= RATE


def datalab_order(rows: np.ndarray) -> bool:
    """Datalab's non_iid check at 5 %."""
    from cleanlab import Datalab

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lab = Datalab(data={"row": list(range(len(rows)))}, verbosity=0)
        lab.find_issues(features=rows, issue_types={"non_iid": {}})
        return bool(lab.get_info("non_iid")["p-value"] <= RATE)


def said(look: Look, runs: int, seed: int) -> str:
    """The share of runs in which something is told, with its interval."""
    count = sum(look(np.random.default_rng([seed, run])) for run in range(runs))
    low, high = binomial(count, runs, 0.95)
    return f"{count / runs:.3f} | {low:.3f} to {high:.3f} | {runs}"


def stacked(found: Measures) -> np.ndarray:
    """All numbers as (rows, columns)."""
    return np.stack(list(found.numbers.values()), axis=1)


def rates(runs: int) -> Iterator[str]:
    """What is told where there is nothing to tell, at 5 %."""
    few = max(20, runs // 4)
    yield "| where nothing is | by | told in | 95 % interval | runs |\n|---|---|---|---|---|"
    yield f"| groups, 26 x 6 questions | profile | {said(lambda rng: groups_told(table(rng)), runs, 1)} |"
    yield f"| the same | each by itself | {said(lambda rng: by_hand(table(rng)), few, 1)} |"

    def genders(rng: np.random.Generator, clusters: bool) -> bool:
        return groups_told(table(rng, speakers=12), clusters=clusters)

    yield f"| genders of 12 speakers | profile, clusters | {said(lambda rng: genders(rng, True), runs, 2)} |"
    yield f"| the same | profile, rows | {said(lambda rng: genders(rng, False), few, 2)} |"
    yield ("| drift, 9 columns and all together | drift | "
           f"{said(lambda rng: len(introspect.drift(table(rng, 120), table(rng, 100))) > 0, runs, 3)} |")
    yield f"| the same | each by itself | {said(lambda rng: drift_by_hand(table(rng, 120), table(rng, 100)), few, 3)} |"

    def clustered(rng: np.random.Generator, clusters: str | None) -> bool:
        pair = table(rng, 120, speakers=12), table(rng, 120, speakers=12)
        return len(introspect.drift(*pair, clusters=clusters)) > 0

    yield f"| drift, 12 speakers a side | drift, clusters | {said(lambda rng: clustered(rng, 'speaker'), runs, 4)} |"
    yield f"| the same | drift, rows | {said(lambda rng: clustered(rng, None), few, 4)} |"
    yield f"| order, 9 columns | order | {said(lambda rng: len(introspect.order(table(rng, 200))) > 0, runs, 5)} |"
    if importlib.util.find_spec("cleanlab"):
        yield ("| the same, 6 numbers | Datalab non_iid | "
               f"{said(lambda rng: datalab_order(stacked(table(rng, 200))), runs, 5)} |")


def power(runs: int) -> Iterator[str]:
    """What is found of planted differences."""
    def group(rng: np.random.Generator) -> bool:
        found = table(rng)
        found.numbers["normal"][np.array(found.labels["uneven"]) == "y"] += 1.5
        return "uneven = y" in introspect.profile(found).subjects

    def moved(rng: np.random.Generator, names: tuple[str, ...], shift: float) -> tuple[Measures, Measures]:
        before, after = table(rng), table(rng)
        for name in names:
            after.numbers[name] += shift
        return before, after

    def one(rng: np.random.Generator) -> bool:
        return "normal" in introspect.drift(*moved(rng, ("normal",), 0.5)).subjects

    def slow(rng: np.random.Generator) -> np.ndarray:
        rows = rng.normal(size=(ROWS, 6))
        rows[:, 2] += np.linspace(0, 1.5, ROWS)
        return rows

    def blocks(rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=(ROWS, 6)) + 0.7 * np.repeat(rng.normal(size=(ROWS // 15, 6)), 15, axis=0)

    yield "| planted | by | found in | 95 % interval | runs |\n|---|---|---|---|---|"
    yield f"| a group of 18 of 300, 1.5 deviations off | profile | {said(group, runs, 11)} |"
    yield f"| one of 9 columns moved by half a deviation, 300 and 300 rows | drift | {said(one, runs, 12)} |"
    for name, made in (("one of 6 columns grows by 1.5 deviations over 300 rows", slow),
                       ("20 sessions of 15 rows each, 0.7 deviations apart", blocks)):
        yield f"| {name} | order | {said(lambda rng, made=made: len(introspect.order(made(rng))) > 0, runs, 13)} |"
        if importlib.util.find_spec("cleanlab"):
            yield f"| the same | Datalab non_iid | {said(lambda rng, made=made: datalab_order(made(rng)), runs, 13)} |"


def rounded(wave: np.ndarray) -> np.ndarray:
    """As 16 bits would have it."""
    return (np.round(np.clip(wave, -1, 1 - 2**-15) * 32768) / 32768).astype(np.float32)


def clipped(wave: np.ndarray, gain: float = 1.0) -> np.ndarray:
    """One in fifty samples beyond full scale, then made quieter by `gain`."""
    return rounded(gain * np.clip(wave / np.quantile(np.abs(wave), 0.98), -1, 1 - 2**-15))


def coded(wave: np.ndarray, kind: str, subtype: str) -> np.ndarray:
    """Through a codec and back."""
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, 16000, format=kind, subtype=subtype)
    return np.asarray(soundfile.read(io.BytesIO(buffer.getvalue()), dtype="float32")[0], np.float32)


def through(wave: np.ndarray, rate: int) -> np.ndarray:
    """Down to another rate and back."""
    return rounded(resample(Audio(rounded(resample(Audio(wave, 16000), rate).samples), rate), 16000).samples)


def linear(wave: np.ndarray) -> np.ndarray:
    """Down to 8 kHz, and back by straight lines."""
    low = resample(Audio(wave, 16000), 8000).samples
    return rounded(np.interp(np.arange(2 * len(low)) / 2, np.arange(len(low)), low))


def silenced(wave: np.ndarray) -> np.ndarray:
    """50 ms of zeros where it is loudest."""
    at = min(int(np.abs(wave).argmax()), len(wave) - 1600)
    return np.concatenate([wave[:at], np.zeros(800, np.float32), wave[at + 800:]])


SOUND_FAULTS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "clipped, one sample in 50": ("clipped", clipped),
    "clipped, then 10 dB quieter": ("clipped", lambda wave: clipped(wave, 0.316)),
    "clipped, then Ogg Vorbis": ("clipped", lambda wave: coded(clipped(wave), "OGG", "VORBIS")),
    "begins at the loudest sample": ("cut beginning", lambda wave: wave[np.abs(wave[:-1600]).argmax():]),
    "ends at the loudest sample": ("cut end", lambda wave: wave[:max(1600, np.abs(wave).argmax())]),
    "50 ms of zeros where it is loudest": ("gap", silenced),
    "offset of 0.02": ("offset", lambda wave: rounded(wave + 0.02)),
    "silent": ("silent", lambda wave: wave * 0),
    "upsampled from 8 kHz": ("narrow", lambda wave: through(wave, 8000)),
    "upsampled from 12 kHz": ("narrow", lambda wave: through(wave, 12000)),
    "upsampled from 8 kHz by straight lines": ("narrow", linear)}


def blurred(pixels: np.ndarray) -> np.ndarray:
    """By a Gaussian of two pixels."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2)))


IMAGE_FAULTS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "one colour": ("blank", lambda pixels: np.full_like(pixels, 90)),
    "grey, stored as RGB": ("grey", lambda pixels: np.repeat(pixels[..., 1:2], 3, axis=2)),
    "40 times darker": ("dark", lambda pixels: pixels // 40),
    "four times brighter": ("bright", lambda pixels: np.minimum(pixels.astype(int) * 4, 255).astype(np.uint8)),
    "blurred by two pixels": ("far sharpness", blurred)}
TEXT_FAULTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "an accent decoded wrongly": ("odd", lambda text: (text + " café").encode().decode("cp1252")),
    "a zero-width space": ("odd", lambda text: text.replace(" ", " \u200b", 1) + "\u200b"),
    "a lost character": ("odd", lambda text: text[:2] + "\ufffd" + text[2:])}


def faults(runs: int) -> Iterator[str]:
    """How many of EACH samples with a planted fault are found, and how many of as many without."""
    del runs
    yield "| planted | rule | found | flagged as they are | of |\n|---|---|---|---|---|"
    rules = {rule.name: rule for rule in RULES}
    sounds = data.load("speechocean762", variant="flac")
    waves = [sounds.media("audio", at) for at in range(3, 3 + 6 * EACH, 6)]
    for name, (rule, spoil) in SOUND_FAULTS.items():
        counts = [sum(bool(rules[rule].is_so(np.array([measure_sound(one)[rules[rule].measure]]))[0]) for one in side)
                  for side in ([Audio(np.asarray(spoil(wave.samples), np.float32), 16000) for wave in waves], waves)]
        yield f"| {name} | {rule} | {counts[0]} | {counts[1]} | {EACH} |"
    images = data.load("cifar10").where(split="test")
    pixels = [images.media("image", at) for at in range(10 * EACH)]
    plain = {name: np.array([measure_image(one)[name] for one in pixels]) for name in measure_image(pixels[0])}
    tests: dict[str, Callable[[dict[str, np.ndarray]], np.ndarray]] = {
        "grey": lambda m: (m["colour"] < 0.01) & (m["contrast"] >= 0.01),
        "far sharpness": lambda m: far_out(m["sharpness"], by_ratio=True)}
    tests |= {name: lambda m, rule=rules[name]: rule.is_so(m[rule.measure]) for name in ("blank", "dark", "bright")}
    for name, (rule, spoil_image) in IMAGE_FAULTS.items():
        spoilt = {key: values.copy() for key, values in plain.items()}
        for at in range(EACH):
            for key, value in measure_image(spoil_image(pixels[at])).items():
                spoilt[key][at] = value
        yield f"| {name} | {rule} | {tests[rule](spoilt)[:EACH].sum()} | {tests[rule](plain)[:EACH].sum()} | {EACH} |"
    texts = data.load("clinc150").where(split="test").values("text")[:EACH]
    for name, (_, spoil_text) in TEXT_FAULTS.items():
        found, before = (sum(measure_text(text)["odd"] > 0 for text in side)
                         for side in ([spoil_text(text) for text in texts], texts))
        yield f"| {name} | odd characters | {found} | {before} | {EACH} |"


def cost(runs: int) -> Iterator[str]:
    """CPU seconds of the whole: decoding and measuring, then the looks."""
    del runs
    yield "| corpus | rows | measured, CPU s | profile | order |\n|---|---|---|---|---|"
    for name in ("fsdd", "cifar10", "clinc150", "speechocean762"):
        dataset, times = data.load(name), [time.process_time()]
        found = health.measure(dataset)
        times.append(time.process_time())
        for look in (introspect.profile, introspect.order):
            look(found)
            times.append(time.process_time())
        took = np.diff(times)
        yield f"| {name} | {len(dataset):,} | {took[0]:.1f} | {took[1]:.1f} | {took[2]:.1f} |"


PARTS = {"rates": rates, "power": power, "faults": faults, "cost": cost}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--runs", type=int, default=400)
    given = parser.parse_args()
    for part in given.part or PARTS:
        for line in PARTS[part](given.runs):
            print(line, flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
