"""What augmentation costs, on one thread: python bench/augmentation.py

CPU seconds for 20,000 images of 32 x 32 pixels in batches of 128, CPU milliseconds for a second of sound at 16 kHz in
batches of 64, and CPU seconds for 15,000 texts of nine words, for every step with its defaults (happening to every
sample) and every preset.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from dataclasses import replace

import numpy as np

from linnet.data.augment import PRESETS, STEPS, Augment, generator
from linnet.data.augment.recipe import NOUNS

IMAGES = np.random.default_rng(0).integers(0, 256, (128, 32, 32, 3), np.uint8)
SOUNDS = np.random.default_rng(0).normal(0, 0.1, (64, 16000)).astype(np.float32)
TEXTS = ["will it rain in oslo tomorrow morning or not"] * 64


def cost(chain: Augment) -> float:
    """Seconds for 20,000 images or 15,000 texts, milliseconds for a second of sound: the best of three."""
    taken = []
    for number in range(4):
        rng, start = generator(seed=0, epoch=0, batch=number), time.process_time()
        if chain.kind == "image":
            chain(IMAGES, None, rng)
            scale = 20_000 / len(IMAGES)
        elif chain.kind == "text":
            chain.on_texts(TEXTS, rng)
            scale = 15_000 / len(TEXTS)
        else:
            chain(SOUNDS, 16000, rng)
            scale = 1000 / len(SOUNDS)
        taken.append((time.process_time() - start) * scale)
    return min(taken[1:])


if __name__ == "__main__":
    chains = {f"`{name}`": Augment([replace(step(), chance=1)]) for name, step in STEPS.items() if name != "background"}
    chains |= {f"preset `{name}`": chain for name, chain in PRESETS.items()}
    said = {"audio": "ms a second of sound", "image": "s for 20,000 images", "text": "s for 15,000 texts"}
    for kind, noun in NOUNS.items():
        costs = [f"{name} {cost(chain):.2f}" for name, chain in chains.items() if chain.kind == kind]
        print(f"- {noun} ({said[kind]}): {', '.join(costs)}")
