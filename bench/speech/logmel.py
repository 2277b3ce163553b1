"""Log-mel frames: hours of 16 kHz sound a CPU second, Linnet's NumPy reference beside librosa, torch and Kaldi's.

    PYTHONPATH=. OMP_NUM_THREADS=1 PEERS/bin/python bench/speech/logmel.py [--rounds 7]

PEERS has librosa and kaldi-native-fbank beside Linnet's own dependencies (`make peers-speech`). The first 40
sentences of the test part of speechocean762, one thread, 80 bands every 10 ms; the sounds are in memory. CPU seconds
(`time.process_time`) are counted, so that other work on the machine does not count; every round runs all in turn, and
the median round is told. Ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import kaldi_native_fbank
import librosa
import numpy as np
import torch
from numpy.typing import NDArray

from linnet import data, nn
from linnet.speech.features import Mel

RATE, BANDS, HOP, WINDOW, POINTS = 16_000, 80, 160, 400, 512
Sound = NDArray[np.float32]


def with_librosa(points: int, window: int) -> Callable[[Sound], object]:
    return lambda sound: librosa.power_to_db(librosa.feature.melspectrogram(
        y=sound, sr=RATE, n_fft=points, hop_length=HOP, win_length=window, n_mels=BANDS))


def with_torch() -> Callable[[Sound], object]:
    filters = torch.from_numpy(librosa.filters.mel(sr=RATE, n_fft=POINTS, n_mels=BANDS))
    hann = torch.hann_window(WINDOW)

    def frames(sound: Sound) -> torch.Tensor:
        spectrum = torch.stft(torch.from_numpy(sound), POINTS, HOP, WINDOW, hann, return_complex=True)
        return torch.log((filters @ spectrum.abs().square()).clamp(min=1e-10))

    return frames


def with_kaldi() -> Callable[[Sound], object]:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = RATE
    options.mel_opts.num_bins = BANDS

    def frames(sound: Sound) -> NDArray[np.float32]:
        computer = kaldi_native_fbank.OnlineFbank(options)
        computer.accept_waveform(RATE, sound)
        computer.input_finished()
        return np.stack([computer.get_frame(number) for number in range(computer.num_frames_ready)])

    return frames


def with_stream(mel: Mel, chunk: int) -> Callable[[Sound], object]:
    def frames(sound: Sound) -> NDArray[np.float32]:
        stream = mel.stream()
        return np.concatenate([stream.update(sound[at : at + chunk]) for at in range(0, len(sound), chunk)])

    return frames


def with_front() -> Callable[[Sound], object]:
    front = nn.LogMel(RATE, None, bands=BANDS, normalisation="absolute").eval()

    @torch.no_grad()
    def frames(sound: Sound) -> torch.Tensor:
        return front(torch.from_numpy(sound)[None])

    return frames


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    test = data.load("speechocean762", validation=True).split(parts="split").test
    sounds = [test.media("audio", number).samples for number in range(40)]
    hours = sum(map(len, sounds)) / RATE / 3600
    mel = Mel(RATE, BANDS)
    ours = "linnet.speech.features.Mel, 480 points"
    base = "librosa melspectrogram + power_to_db, 512 points"
    candidates = {
        base: with_librosa(POINTS, WINDOW), "librosa, 480 points": with_librosa(480, 480), "torch.stft, 512 points":
        with_torch(), "kaldi-native-fbank, from Python": with_kaldi(), "nn.LogMel in torch, 480 points": with_front(),
        ours: mel, "the same as a stream, 100 ms chunks": with_stream(mel, 1600)}
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):  # the first warms up
        for name, frames in candidates.items():
            begin = time.process_time()
            for sound in sounds:
                frames(sound)
            if number:
                taken[name].append(time.process_time() - begin)
    print(f"{len(sounds)} recordings, {hours * 3600:.0f} s, {rounds} rounds\n")
    print("| | hours a CPU second | times real time | times librosa (quartiles over rounds) |\n|---|---|---|---|")
    for name, seconds in taken.items():
        ratios = np.array(taken[base]) / np.array(seconds)
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        speed = hours / np.median(seconds)
        print(f"| {name} | {speed:.2f} | {3600 * speed:.0f} | {middle:.2f} ({low:.2f} to {high:.2f}) |")


if __name__ == "__main__":
    main()
