"""What storing weights small brings and costs: size, load time, latency and answers, packed against plain.

    python bench/shrink/packing.py [--networks DS-CNN ...]

The four trained networks with their weights pressed onto palettes (k-means, nothing is tuned: accuracy is not the
question here), in float and in int8, calibrated on noise. Times are processor time on one thread, the two files taking
turns.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import torch
from networks import NETWORKS, RUNS

from linnet import nn
from linnet.export import packing
from linnet.export.compact import compact
from linnet.export.friendly import friendly
from linnet.export.graph import to_graph
from linnet.export.parity import run
from linnet.export.ptq import quantize
from linnet.export.realised import optimised
from linnet.export.samples import made_up, one_by_one

CASES = {"8 values": (8, 0.0), "85 % zeros, 7 other values": (8, 0.85)}
LAYERS = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Linear, torch.nn.Embedding)


def pressed(model: nn.Model, count: int, zeros: float) -> tuple[nn.Model, int]:
    """The model with so many distinct weights a layer, and how many weights those layers have."""
    layers, total = {}, 0
    for name, module in model.module.named_modules():
        if isinstance(module, LAYERS) and module.weight.numel() > 200:
            weights = module.weight.detach().numpy().copy().reshape(-1)
            kept = np.abs(weights) > (np.quantile(np.abs(weights), zeros) if zeros else -1)
            others = count - (zeros > 0)
            centres = np.quantile(weights[kept], (np.arange(others) + 0.5) / others)
            for _ in range(8):
                nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, weights)
                means = [weights[kept & (nearest == place)] for place in range(others)]
                centres = np.array([part.mean() if part.size else old
                                    for part, old in zip(means, centres, strict=True)])
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, weights)
            values = np.where(kept, centres[nearest], 0).astype(np.float32).reshape(module.weight.shape)
            module.weight.data = torch.from_numpy(values)
            layers[name], total = (count - 1).bit_length(), total + weights.size
    return replace(model, encoding=nn.Encoding(palettes=layers)), total


def files(model: nn.Model, graph: onnx.ModelProto, eight_bits: bool) -> tuple[bytes, bytes]:
    """The plain file and the packed one."""
    values = packing.find(graph.graph, model)
    if eight_bits:
        quantized = quantize(graph, made_up(model.spec), nn.Encoding(bits=8))
        plain = friendly(quantized, {})[0]
        graph, narrow = packing.on_grids(quantized, graph, values)
        graph, values = friendly(graph, {**values, **narrow})
    else:
        plain = graph
    packed, _ = packing.pack(graph, values)
    return compact(plain).SerializeToString(), compact(packed).SerializeToString()


def seconds(contents: tuple[bytes, bytes], sample: dict[str, np.ndarray]) -> tuple[list[float], list[float]]:
    """Milliseconds to load, and to answer, of both."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    loads, answers = np.zeros((9, 2)), np.zeros((60, 2))
    for turn in range(len(loads)):
        sessions = []
        for place, content in enumerate(contents):
            begin = time.process_time()
            sessions.append(onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]))
            loads[turn, place] = time.process_time() - begin
    for turn in range(len(answers)):
        for place, session in enumerate(sessions):
            begin = time.process_time()
            session.run(None, sample)
            answers[turn, place] = time.process_time() - begin
    return [list(1000 * np.median(part, axis=0)) for part in (loads, answers)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| network | weights | | plain bytes | packed bytes | bits a weight, all told | load ms | answer ms | "
          "same operators |\n|---|---|---|---|---|---|---|---|---|")
    for name in given.networks:
        for case, (count, zeros) in CASES.items():
            model, total = pressed(nn.load(RUNS / NETWORKS[name] / "big"), count, zeros)
            graph, samples = to_graph(model), {key: values[:4] for key, values in made_up(model.spec).items()}
            for eight_bits in (False, True):
                plain, packed = files(model, graph, eight_bits)
                load, answer = seconds((plain, packed), next(iter(one_by_one(samples))))
                if not eight_bits:
                    worst = max(float(np.abs(one - two).max()) for one, two in
                                zip(run(plain, samples), run(packed, samples), strict=True))
                    assert worst < 1e-4, worst
                same = sorted(node.op_type for node in optimised(plain).graph.node) == sorted(
                    node.op_type for node in optimised(packed).graph.node)
                print(f"| {name} | {case} | {'int8' if eight_bits else 'float'} | {len(plain):,} | {len(packed):,} | "
                      f"{8 * len(packed) / total:.2f} | {load[0]:.1f} to {load[1]:.1f} | "
                      f"{answer[0]:.3f} to {answer[1]:.3f} | {'yes' if same else 'no'} |", flush=True)


if __name__ == "__main__":
    main()
