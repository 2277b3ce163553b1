"""What goes together is found by watching one run; what is cut there leaves a network that runs as foreseen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stand_in import StandIn, batch_of, pictures, recordings, rows, texts, windows
from torch import Tensor
from torch.nn import functional

from linnet import nn
from linnet.errors import LinnetError
from linnet.nn.dependencies import dependencies, sets_of
from linnet.nn.resize import slice_in_place

CASES = {
    "dscnn": (windows(), {"width": 8}), "resnet": (pictures(), {"depth": 8}), "bcresnet": (windows(), {}),
    "mobilenet": (pictures(), {"width": 0.25}), "smallcnn": (pictures(), {"width": 4}), "mlp": (rows(), {"width": 6}),
    "textcnn": (texts(), {"width": 4}), "transformer": (texts(), {"width": 64}), "gru": (texts(), {"width": 6}),
    "vit": (pictures(), {"width": 64}), "crnn": (recordings(), {"width": 8}),
    "conformer": (recordings(), {"width": 64}),
}


def made(family: str) -> tuple[nn.Model, StandIn]:
    """A network whose normalisations are not those of a fresh one."""
    task, dial = CASES[family]
    model = nn.zoo.FAMILIES[family](task, **dial)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in model.module.state_dict().items():
            if tensor.is_floating_point() and tensor.ndim == 1 and not name.startswith("front"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return model, task


@pytest.mark.parametrize("family", CASES)
def test_a_unit_of_every_group_can_go_from_every_family(family: str, tmp_path: Path) -> None:
    model, task = made(family)
    found = nn.dependencies_of(model)
    groups = [group for group in found.groups if len(group) > 1]
    assert groups
    smaller = nn.remove_channels(model, {group.name: group.outputs[0].tolist() for group in groups})
    going = {group.sets[0] for group in groups}
    assert nn.dependencies_of(smaller).macs() == found.macs(going) < found.macs()
    answer = smaller(batch_of(task))[model.spec["output"]["name"]]
    assert np.isfinite(answer).all()
    nn.save(smaller, tmp_path)
    np.testing.assert_array_equal(nn.load(tmp_path)(batch_of(task))[model.spec["output"]["name"]], answer)


@pytest.mark.parametrize("family", CASES)
def test_what_stays_answers_as_if_nobody_read_the_units_that_went(family: str) -> None:
    model, task = made(family)
    normalised = {name for name, part in model.module.named_modules() if isinstance(part, torch.nn.LayerNorm)}
    groups = [group for group in nn.dependencies_of(model).groups if not normalised.intersection(group.layers)]
    smaller = nn.remove_channels(model, {group.name: group.outputs[-1].tolist() for group in groups})
    with torch.no_grad():
        for group in groups:
            for (name, axis), positions in group.places.items():
                if axis == 1:  # readers have their inputs there; what is read by nobody could as well be gone
                    model.module.get_parameter(name).index_fill_(axis, torch.from_numpy(positions[-1]), 0)
    name = model.spec["output"]["name"]
    np.testing.assert_allclose(smaller(batch_of(task))[name], model(batch_of(task))[name], atol=2e-4)


def test_what_is_added_goes_together_and_heads_go_whole() -> None:
    model, _ = made("transformer")
    stream, heads, *_ = nn.dependencies_of(model).groups
    assert stream.name == "layers.embedding.table"
    assert {"layers.block1.narrow", "layers.block2.attention.output", "norm", "head"} < set(stream.layers)
    assert (heads.name, len(heads)) == ("layers.block1.attention.mixed", 2)
    assert heads.outputs[0].tolist() == [*range(32), *range(64, 96), *range(128, 160)]
    with pytest.raises(LinnetError, match=r"'block1.attention.mixed': the channels \[0\] go only together with \[1, 2"):
        nn.remove_channels(model, {"block1.attention.mixed": [0]})


def test_two_cuts_of_heads_and_units_are_one() -> None:
    model, _ = made("conformer")
    groups = {group.name: group for group in nn.dependencies_of(model).groups}
    heads, wide = groups["layers.block1.attention.mixed"], groups["layers.block1.before.wide"]
    once = nn.remove_channels(model, {heads.name: heads.outputs[1].tolist(), wide.name: [3, 5]})
    twice = nn.remove_channels(nn.remove_channels(model, {wide.name: [5]}), {heads.name: heads.outputs[1].tolist()})
    twice = nn.remove_channels(twice, {wide.name: [3]})
    assert twice.identity == once.identity
    assert len(once.spec["rewrites"]) == 1


class Mixed(torch.nn.Module):
    """Concatenation, a split, grouped convolutions, flattening, a shared layer and a plain gate."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.Conv2d(3, 6, 3, padding=1)
        self.grouped = torch.nn.Conv2d(10, 8, 3, padding=1, groups=2)
        self.shared = torch.nn.Conv2d(8, 8, 1)
        self.gated = torch.nn.Linear(8 * 4 * 4, 12)
        self.last = torch.nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.grouped(torch.cat([self.left(x), self.right(x)], 1)).relu()
        x = self.shared(self.shared(x)).flatten(1)
        found, gate = self.gated(x).chunk(2, 1)
        return self.last(found * gate.sigmoid())


def test_concatenation_groups_flattening_and_gates_of_any_module() -> None:
    module, x = Mixed().eval(), torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = dependencies(module, [x])
    shapes = {group.name: group.outputs.tolist() for group in found.groups}
    assert shapes["gated"] == [[unit, unit + 6] for unit in range(6)]
    assert shapes["grouped"] == [[unit, unit + 4] for unit in range(4)], "both of the two groups lose as much"
    # five inputs a group: 0 of the left goes with 1 of the right
    assert found.channels("left")[0] == found.channels("right")[1]
    assert found.kept == {"last": "it is part of the answer"}
    going = sets_of(found, "gated", "gated", [2, 8]) | sets_of(found, "grouped", "grouped", [1, 5])
    with torch.no_grad():
        for name, axes in found.kept_positions(going).items():
            if axes[1:] and name.startswith(("shared", "gated", "last")):
                gone = np.setdiff1d(np.arange(module.get_parameter(name).shape[1]), axes[1])
                module.get_parameter(name)[:, gone] = 0
    expected = module(x)
    slice_in_place(module, found.kept_positions(going))
    torch.testing.assert_close(module(x), expected)
    assert found.disagreement(going, dependencies(module, [x]).tape) is None
    assert (module.grouped.groups, module.grouped.in_channels, module.gated.in_features) == (2, 10, 96)


class Tied(torch.nn.Module):
    """The embedding is the last layer too."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.inner = torch.nn.Embedding(11, 6), torch.nn.Linear(6, 6)
        self.decoder = torch.nn.Linear(6, 11, bias=False)
        self.decoder.weight = self.table.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.decoder(self.inner(self.table(tokens)))


def test_tied_embeddings_stay_one_parameter() -> None:
    module, tokens = Tied(), torch.randint(0, 11, (2, 5))
    found = dependencies(module, [tokens])
    assert found.kept["decoder"] in ("it is a vocabulary", "it is part of the answer")
    slice_in_place(module, found.kept_positions(sets_of(found, "table", "table", [4]) | sets_of(
        found, "inner", "inner", [0])))
    assert module.decoder.weight is module.table.weight
    assert module(tokens).shape == (2, 5, 11)


class Odd(torch.nn.Module):
    """Turns channels into frequencies."""

    def __init__(self) -> None:
        super().__init__()
        self.turned, self.last = torch.nn.Linear(4, 6), torch.nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(functional.pad(torch.fft.rfft(self.turned(x)).abs(), (0, 2)))


def test_what_an_unknown_operator_touches_is_kept_and_why_is_said() -> None:
    found = dependencies(Odd(), [torch.randn(2, 4)])
    assert found.kept["turned"] == "the operator '_fft_r2c' is not known"
    with pytest.raises(LinnetError, match=r"keeps its channels .*: the operator '_fft_r2c' is not known"):
        sets_of(found, "turned", "turned", [0])


@pytest.mark.parametrize(("units", "message"), [
    ({"head": [0]}, "keeps its channels.*it is part of the answer"),
    ({"front": [0]}, "'front' keeps its outputs"),
    ({"nowhere": [0]}, "unknown layer 'nowhere'"),
    ({"block1.wide": range(256)}, "would lose all of its 256 channels"),
    ({"block1.wide": [256]}, r"channels 0 to 255; cannot remove \[256\]"),
])
def test_what_cannot_go_is_refused(units: dict[str, list[int]], message: str) -> None:
    model, _ = made("vit")
    with pytest.raises(LinnetError, match=message):
        nn.remove_channels(model, units)


def test_inputs_that_do_not_fit_are_said() -> None:
    with pytest.raises(LinnetError, match=r"does not run on inputs of float32 \(2, 5\)"):
        dependencies(Odd(), [torch.randn(2, 5)])
