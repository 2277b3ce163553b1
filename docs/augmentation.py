"""Write the pictures and the examples of docs/augmentation.md anew: python docs/augmentation.py.

The photographs come with scikit-learn; the recording is made here, so that nothing has to be fetched.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images

from linnet.data import augment
from linnet.data.augment import Augment, Step, generator
from linnet.report.pictures import spectrogram

PAGE = Path(__file__).with_suffix(".md")
PICTURES = Path(__file__).parent / "pictures"
RATE_HZ = 16000
TILE, LABEL = 64, 84
TEXTS = ("will it rain in Oslo tomorrow morning", "please order two fresh loaves of bread")
IMAGE_STEPS = (augment.Flip(1.0), augment.Move(0.2), augment.Rotate(-25, 25), augment.Zoom(0.7, 1.4),
               augment.ResizedCrop(0.2, 0.7), augment.PaddedCrop(0.25), augment.Colour(0.5, 0.5, 0.7, 40, chance=1),
               augment.Erase(0.3, 0.6), augment.RandAugment(2, 0.7))
TEXT_STEPS = (augment.WordDropout(0.25), augment.WordSwap(0.25), augment.Typos(0.1, chance=1))


def sound_steps(folder: Path) -> list[Step]:
    """One of each, strong enough to be seen; `folder` has the background."""
    return [augment.Gain(-20, -20), augment.Noise(5, 5, chance=1), augment.Background(folder, "", 3, 3, chance=1),
            augment.Reverberation(0.6, 0.6, 0, 0, chance=1), augment.Telephone(), augment.MuLaw(bits=5),
            augment.Codec("opus", 0, 0, chance=1), augment.Codec("gsm", chance=1), augment.Speed(1.3, 1.3),
            augment.Tempo(1.3, 1.3), augment.Pitch(4, 4), augment.VocalTract(1.2, 1.2),
            augment.Equalize(12, chance=1), augment.Crop(0.25, chance=1), augment.Shift(0.2, 0.2),
            augment.FrequencyMask(0.2, 2, chance=1), augment.TimeMask(0.25, 2, chance=1)]


def photographs() -> NDArray[np.uint8]:
    """(2, 64, 64, 3)."""
    pieces = [(140, 240, 190), (60, 130, 300)]
    whole = zip(load_sample_images().images, pieces, strict=True)
    return np.stack([np.asarray(Image.fromarray(image[top:top + side, left:left + side]).resize((TILE, TILE)))
                     for image, (top, left, side) in whole])


def vowels() -> NDArray[np.float32]:
    """(samples,): 1.2 s of a falling voice that says three vowels, with a pause."""
    time = np.arange(round(1.2 * RATE_HZ)) / RATE_HZ
    pitch = np.cumsum(150 - 30 * time + 4 * np.sin(2 * np.pi * 5 * time)) / RATE_HZ
    sound = np.zeros_like(time)
    for order in range(1, 45):
        hertz = order * (150 - 30 * time)
        formants = np.array([[700, 1200, 2600], [300, 2300, 3000], [350, 800, 2500]])[
            np.searchsorted([0.45, 0.85], time)]
        loud = np.exp(-(((hertz[:, None] - formants) / 130) ** 2)).sum(axis=1) + 0.02
        sound += loud / order**0.3 * np.sin(2 * np.pi * order * pitch)
    edges = np.interp(time, [0.15, 0.2, 0.4, 0.45, 0.5, 0.8, 0.85, 0.88, 1.05, 1.1], [0, 1, 1, 0, 1, 1, .1, 1, 1, 0])
    noise = np.random.default_rng(0).normal(0, 1e-3, len(time))
    return (0.3 * edges * sound / np.abs(sound).max() + noise).astype(np.float32)


def draw_images(path: Path) -> None:
    """A row a step: its name, and what it makes of two photographs, three times each."""
    batch = np.repeat(photographs(), 3, axis=0)
    rows = [("as it was", batch), *((step.name, Augment([step])(batch, None, generator(seed=1, epoch=0, batch=0)))
                                    for step in IMAGE_STEPS)]
    page = Image.new("RGB", (LABEL + len(batch) * TILE, len(rows) * TILE), "white")
    for row, (name, images) in enumerate(rows):
        ImageDraw.Draw(page).text((4, row * TILE + TILE // 2 - 6), name, fill="black")
        for column, image in enumerate(images):
            page.paste(Image.fromarray(image), (LABEL + column * TILE, row * TILE))
    _save(page, path)


def draw_sounds(path: Path, *, columns: int = 3, space: int = 16) -> None:
    """A spectrogram a step, all of the same recording."""
    sound = vowels()
    with tempfile.TemporaryDirectory() as folder:
        moments = np.arange(2 * RATE_HZ)
        hiss = np.random.default_rng(1).normal(0, 0.02, len(moments))
        beeps = 0.3 * np.sin(2 * np.pi * 3100 * moments / RATE_HZ) * (moments % 4000 < 1500)
        soundfile.write(Path(folder) / "beeps.wav", hiss + beeps, RATE_HZ)
        tiles = [("as it was", sound)]
        for step in sound_steps(Path(folder)):
            named = f"codec ({step.formats[0]})" if isinstance(step, augment.Codec) else step.name
            changed = Augment([step])(sound[None], RATE_HZ, generator(seed=2, epoch=0, batch=0))
            tiles.append((named, changed[0]))
    pictures = [(name, Image.fromarray(spectrogram(samples, RATE_HZ)).resize((216, 84))) for name, samples in tiles]
    width, height = pictures[0][1].size
    page = Image.new("RGB", (columns * (width + 8), -(-len(tiles) // columns) * (height + space)), "white")
    for place, (name, picture) in enumerate(pictures):
        x, y = place % columns * (width + 8), place // columns * (height + space)
        ImageDraw.Draw(page).text((x + 2, y + 2), name, fill="black")
        page.paste(picture, (x, y + space))
    _save(page, path)


def text_examples() -> str:
    """A table of what each step makes of two sentences."""
    lines = ["| step | " + " | ".join(TEXTS) + " |", "|---|---|---|"]
    for step in TEXT_STEPS:
        changed = Augment([step]).on_texts(list(TEXTS), generator(seed=3, epoch=0, batch=0))
        lines.append(f"| `{step.name}` | " + " | ".join(changed) + " |")
    return "\n".join(lines)


def _save(page: Image.Image, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    page.quantize(96).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    draw_images(PICTURES / "augmented_images.png")
    draw_sounds(PICTURES / "augmented_sounds.png")
    written = re.sub(r"(?<=<!-- texts -->\n).*?(?=\n<!-- end of texts -->)", lambda _: text_examples(),
                     PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    PAGE.write_text(written, encoding="utf-8")
