"""The CLINC150 transformer with half of the multiplications of its linear layers: ranks fixed before, or learned.

    .venv/bin/python bench/shrink/factors.py [--keep 0.5] [--epochs 2] [--ranks fixed learned]

Tuned for the same epochs from the same network; accuracy on the test part with the interval of matched pairs against
the float network (95 %, exact), the file's size, and the median latency of one sample on one thread in turns.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import networks
from sparsity import against

from linnet import export, runtime, shrink, tasks, train
from linnet.data.augment import Augment

AUGMENT = Augment.from_json([{"step": "word_dropout"}])
OPTIONS = train.Options(learning_rate=5e-4, weight_decay=0.05, clip=1.0, schedule="cosine", keep="last")


def main() -> None:
    """Tune each, export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--ranks", nargs="+", default=["fixed", "learned"])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    network = networks.load("transformer")
    models = {"float": network.model}
    for rank in given.ranks:
        start = time.process_time()
        plan = shrink.Plan().plus("factorize", keep=given.keep, rank=rank)
        models[rank] = shrink.apply(plan, network.model, network.task, network.splits, epochs=given.epochs,
                                    seed=given.seed, augment=AUGMENT, options=OPTIONS)
        print(f"{rank}: {time.process_time() - start:.0f} CPU seconds", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: export.write(model, network.task, Path(folder) / f"{name}.onnx")
                 for name, model in models.items()}
        times = dict(zip(files, runtime.bench_many(list(files.values()), seconds=2.0), strict=True))
    scores = {name: tasks.evaluate(model, network.task, network.splits.test) for name, model in models.items()}
    print(f"\nkeep {given.keep} of the multiplications, {given.epochs} epochs, seed {given.seed}, "
          f"{len(network.splits.test)} test texts\n\n"
          "| ranks | accuracy | parameters | file KB | p50 ms |\n|---|---|---|---|---|")
    for name, model in models.items():
        print(f"| {name} | {scores[name].mean:.4f} | {model.parameters_count:,} | {times[name].size_bytes / 1e3:.0f} | "
              f"{times[name].p50_ms:.3f} |")
    print("\n| difference | points | 95 % interval |\n|---|---|---|")
    for rank in given.ranks:
        print(against(f"{rank} - float", scores[rank], scores["float"]))


if __name__ == "__main__":
    main()
