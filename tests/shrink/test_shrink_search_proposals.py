from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from linnet import data, nn, shrink, tasks
from linnet.shrink.search.proposals import FIRST, PROPOSALS, Look, propose


@dataclass
class Fixed:
    """Draws what was written down, else the first option, else the high end; knows what it was asked."""

    values: Mapping[str, Any]
    asked: dict[str, Sequence[Any]] = field(default_factory=dict)

    def choose(self, name: str, options: Sequence[Any]) -> Any:
        self.asked[name] = options
        return self.values.get(name, options[0])

    def number(self, name: str, low: float, high: float, step: float) -> float:
        return float(self.values.get(name, high))


@pytest.fixture(scope="module")
def look(tone_task: tasks.Classify, tones: data.Splits) -> Look:
    return Look(nn.zoo.dscnn(tone_task, width=16, seed=0), tone_task, tones)


def test_every_draw_makes_settings_that_its_method_takes(look: Look) -> None:
    plain = {"arithmetic": "float", "thinner": "no"}
    dials = {"sparsify": [0.5, 0.85], "palettize": [6, 2], "factorize": [0.8], "thinner": ["importance", "redundancy"],
             "arithmetic": ["int8", "qat"], "int8.calibration": ["mse"], "int8.repairs": ["equalize", "adaround"]}
    for name, values in dials.items():
        for value in values:
            eight = {"arithmetic": "int8"} if name.startswith("int8") else {}
            draw = Fixed({**plain, "macs": 0.5, "channels": 0.5, **eight, name: value})
            made = propose(draw, look, list(PROPOSALS), "size")
            assert len(shrink.check(made)) == 1
            assert name not in draw.asked or value in draw.asked[name]


def test_nothing_is_proposed_that_brings_nothing(look: Look) -> None:
    draw = Fixed({"sparsify": 0.5, "palettize": 4, "arithmetic": "float", "thinner": "no"})
    assert propose(draw, look, list(PROPOSALS), "latency").methods == {}
    assert set(propose(draw, look, list(PROPOSALS), "size").methods) == {"sparsify", "palettize"}


def test_many_channels_stay_in_multiples_of_eight(look: Look) -> None:
    draw = Fixed({"channels": 0.6, "arithmetic": "float", "thinner": "redundancy"})
    made = propose(draw, look, ["remove_channels"], "latency")
    smaller = nn.remove_channels(look.model, made.methods["remove_channels"]["layers"])
    sizes = {layer["name"]: layer["channels"] for layer in smaller.spec["layers"]}
    assert sizes["block1"] == 8
    assert sizes["stem"] == 5  # of eight


def test_a_file_is_only_quantized() -> None:
    assert set(propose(Fixed({}), None, list(PROPOSALS), "latency").methods) == {"int8"}


def test_the_first_draws_are_of_dials_that_there_are(look: Look) -> None:
    for values in FIRST:
        draw = Fixed(values)
        made = propose(draw, look, list(PROPOSALS), "size")
        assert made.methods
        assert all(values[name] in options for name, options in draw.asked.items() if name in values)


def test_sensitivity_decides_what_stays(look: Look) -> None:
    made = propose(Fixed({"arithmetic": "float", "palettize": "18 dB", "thinner": "no"}), look, list(PROPOSALS), "size")
    assert len(set(made.methods["palettize"]["own_bits"].values())) >= 1
    shrink.check(made)
    kept = propose(Fixed({"arithmetic": "int8", "int8.protect": "30 dB"}), look, ["int8"], "size")
    assert not kept.methods or isinstance(kept.methods["int8"]["exclude"], list)
