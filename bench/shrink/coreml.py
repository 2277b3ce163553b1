"""coremltools' four-bit palettes of a float network, for their size: table.py runs this in the peers' environment.

python coreml.py RUN FOLDER    the model of RUN/big behind its front end, four bits a weight by k-means (its
                               PostTrainingPalettizer), converted as it would ship; writes coreml-4bit.answers.npz
                               (torch with those weights: the converted model runs on a Mac only) and coreml-4bit.json
                               with the bytes of the package
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import coremltools
import numpy as np
import torch
from coremltools.optimize.torch.palettization import PostTrainingPalettizer, PostTrainingPalettizerConfig

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from headless import headless
from peers import rows

from linnet import nn


def main(run: Path, folder: Path) -> None:
    """Palettize, answer, convert, count bytes."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    body = headless(nn.load(run / "big").module)
    config = PostTrainingPalettizerConfig.from_dict({"global_config": {"n_bits": 4, "granularity": "per_tensor"}})
    small = PostTrainingPalettizer(body, config).compress()
    tests = rows(folder / "test.npz")
    with torch.no_grad():
        answers = [small(torch.from_numpy(next(iter(row.values()))))[0].numpy() for row in tests]
    np.savez(folder / "coreml-4bit.answers.npz", *answers)
    example = torch.from_numpy(next(iter(rows(folder / "typical.npz")[0].values())))
    if not example.is_floating_point():
        example = example.int()
    with torch.no_grad():
        traced = torch.jit.trace(small, example, check_trace=False)
    kind = np.float32 if example.is_floating_point() else np.int32
    converted = coremltools.convert(
        traced, inputs=[coremltools.TensorType(shape=tuple(example.shape), dtype=kind)],
        minimum_deployment_target=coremltools.target.iOS18)
    with tempfile.TemporaryDirectory() as place:
        package = Path(place) / "model.mlpackage"
        converted.save(str(package))
        size = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    (folder / "coreml-4bit.json").write_text(json.dumps({"bytes": size}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
