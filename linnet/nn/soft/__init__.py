"""Differentiable compression: modules that stand for a weight or an activation while a network is tuned.

Each is usable alone, as a parametrization of a weight (`torch.nn.utils.parametrize`) or around an activation. Knows
torch and mathematics; knows nothing about plans, tasks and files.
"""

from linnet.nn.soft.baking import bake, piece_of
from linnet.nn.soft.factors import Factors, factorize
from linnet.nn.soft.fused import lookup_product
from linnet.nn.soft.gates import Budget, Gates
from linnet.nn.soft.masks import Mask
from linnet.nn.soft.palettes import Palette
from linnet.nn.soft.quantizers import (
    InputQuantizer,
    PercentileInputQuantizer,
    PercentileWeightQuantizer,
    WeightQuantizer,
)
from linnet.nn.soft.quantizing import quantizable, quantize_layers, take_off, watch
from linnet.nn.soft.rounding import fake_quantize
from linnet.nn.soft.schedule import Scheduled, advance, is_settled, penalty

__all__ = ["Budget", "Factors", "Gates", "InputQuantizer", "Mask", "Palette", "PercentileInputQuantizer",
           "PercentileWeightQuantizer", "Scheduled", "WeightQuantizer", "advance", "bake", "factorize",
           "fake_quantize", "is_settled", "lookup_product", "penalty", "piece_of", "quantizable", "quantize_layers",
           "take_off", "watch"]
