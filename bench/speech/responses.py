"""What an answer takes: a template filled in, and said by espeak-ng in process, from the cache, as a program.

    python bench/speech/responses.py

CPU time of one thread (of the child, for the program), medians of 50. "First sound" is wall time, which a busy machine
makes longer. The program is measured where espeak-ng is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from linnet.responses import Cache, Espeak, say, sound_of, template

RUNS = 50
SHORT = "Your taxi will be there in five minutes."
LONG = " ".join([SHORT] * 30)


def main() -> None:
    voice = Espeak()
    sound_of(voice, SHORT)
    unread = template("{count, plural, =0 {Nothing new} one {# message} other {# messages}}, {name}.")
    print("| what | CPU ms | first sound, wall ms | times real time |\n|---|---|---|---|")
    print(f"| a template with a plural filled in | {1000 * cpu(lambda: unread.fill(count=12, name='Ann')):.3f} | | |")
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        sound_of(voice, SHORT, cache=cache)
        engine = voice.identity.split(" en-us")[0]
        for name, text, kept in ((f"{len(SHORT.split())} words, {engine} in process", SHORT, None),
                                 (f"{len(LONG.split())} words, the same", LONG, None),
                                 (f"{len(SHORT.split())} words from the cache", SHORT, cache)):
            taken = cpu(lambda text=text, kept=kept: sound_of(voice, text, cache=kept))
            wait = np.median([first(lambda text=text, kept=kept: say(voice, text, cache=kept)) for _ in range(RUNS)])
            seconds = len(sound_of(voice, text, cache=kept)) / voice.sample_rate_hz
            print(f"| {name} | {1000 * taken:.2f} | {1000 * wait:.1f} | {seconds / taken:.0f} |")
    if program := shutil.which("espeak-ng"):
        taken = np.median([child(program) for _ in range(RUNS)])
        print(f"| {len(SHORT.split())} words, a program started for each | {1000 * taken:.2f} | | |")


def cpu(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def first(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    stream = call()
    next(stream)
    wait = time.perf_counter() - start
    stream.close()
    return wait


def child(program: str) -> float:
    before = os.times()
    subprocess.run([program, "-v", "en-us", "--stdout", SHORT], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    main()
