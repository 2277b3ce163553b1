"""Attribution maps of real networks: they add up, their values are right, and what cannot be explained is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from linnet import data, nn, tasks
from linnet.errors import LinnetError
from linnet.nn import attribution
from linnet.nn.attribution.route import Route
from linnet.tasks import Classify


@pytest.fixture(scope="module")
def seen(squares: data.Splits) -> tuple[nn.Model, Classify, data.Dataset]:
    """A network for images whose normalisations have something to fold."""
    task = Classify(squares, input="image", target="side")
    model = nn.zoo.resnet(task, depth=8)
    rng = torch.Generator().manual_seed(1)
    for unit in model.module.modules():
        if isinstance(unit, torch.nn.BatchNorm2d):
            unit.running_mean.copy_(torch.randn(unit.num_features, generator=rng) * 0.1)
            unit.running_var.copy_(torch.rand(unit.num_features, generator=rng) + 0.5)
    return model, task, squares.test


@pytest.fixture(scope="module")
def read(sentences: data.Splits) -> tuple[nn.Model, Classify, data.Dataset]:
    task = Classify(sentences, input="text", target="intent")
    return nn.zoo.transformer(task, width=32), task, sentences.test


@pytest.fixture(scope="module")
def heard(tones: data.Splits, tone_task: Classify) -> tuple[nn.Model, Classify, data.Dataset]:
    return nn.zoo.dscnn(tone_task, width=8), tone_task, tones.test.take(range(6))


def plainly(network: torch.nn.Module, after: object, start: torch.Tensor, end: torch.Tensor, target: torch.Tensor,
            nodes: int) -> np.ndarray:
    """Integrated gradients written down as they are defined."""
    places, weights = np.polynomial.legendre.leggauss(nodes)
    total = torch.zeros_like(end)
    for place, weight in zip((places + 1) / 2, weights / 2, strict=True):
        point = (start + float(place) * (end - start)).requires_grad_()
        chosen = after(point).gather(1, target[:, None]).sum()  # type: ignore[operator]
        total += float(weight) * torch.autograd.grad(chosen, point)[0]
    return (total * (end - start)).detach().numpy()


def test_images_have_the_gradients_of_the_definition(seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = seen
    network = model.module.eval()
    pixels = network.front(torch.from_numpy(np.array(task.prepare(task.read(part))["image"])))

    def after(x: torch.Tensor) -> torch.Tensor:
        for layer in network.layers.values():
            x = layer(x)
        return network.head(network.pool(x))

    expected = plainly(network, after, torch.zeros_like(pixels), pixels, after(pixels).argmax(1), 20).sum(1)
    found = attribution.attribute(model, task, part, nodes=20, rows=7)
    np.testing.assert_allclose(found.values, expected, atol=1e-5 * np.abs(expected).max())
    assert (found.space, found.ids, found.values.shape) == ("pixels", tuple(part.ids), (len(part), 8, 8))
    assert found.targets == tuple(task.decode(model(task.prepare(task.read(part)))))
    whole = attribution.attribute(model, task, part, nodes=20, rows=1000)
    np.testing.assert_allclose(whole.values, found.values, atol=1e-5 * np.abs(expected).max())


def test_what_is_linear_is_done_once(seen: tuple[nn.Model, Classify, data.Dataset],
                                     read: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = seen
    route = Route(model, None, task.prepare(task.read(part)))
    assert route.linear is route.network.get_submodule("layers.stem.conv")
    deep = Route(model, "stage1_1", task.prepare(task.read(part)))
    assert deep.linear is None  # two paths read it: a convolution, and the way straight on
    assert Route(read[0], None, read[1].prepare(read[1].read(read[2]))).linear is None


@pytest.mark.parametrize("kind", ["seen", "heard"])
def test_maps_add_up_within_one_percent_without_a_number_of_nodes(kind: str, request: pytest.FixtureRequest) -> None:
    model, task, part = request.getfixturevalue(kind)
    found = attribution.attribute(model, task, part.take(range(6)))
    assert found.completeness_error is not None
    assert found.completeness_error.max() <= 0.01
    np.testing.assert_allclose(found.values.reshape(6, -1).sum(1), found.sums, rtol=1e-4, atol=1e-6)
    logits = model(task.prepare(task.read(part.take(range(6)))))["logits"]
    assert (np.abs(found.difference) <= np.abs(logits).max() * 2 + 1).all()


def test_the_model_is_as_it_was(seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = seen
    before, hooks = model.identity, len(model.module.layers["stem"]._forward_hooks)
    attribution.attribute(model, task, part, nodes=2)
    assert model.identity == before
    assert all(weights.requires_grad and weights.grad is None for weights in model.module.parameters())
    assert len(model.module.layers["stem"]._forward_hooks) == hooks
    assert isinstance(model.module.layers["stem"].norm, torch.nn.BatchNorm2d)


@pytest.mark.slow
def test_a_waveform_is_explained_in_windows_and_adds_up_though_loudness_is_not_heard(
        heard: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = heard
    found = attribution.attribute(model, task, part.take(range(2)), layer="waveform", nodes=400)
    assert (found.space, found.facts["step_s"]) == ("time", pytest.approx(0.01))
    assert found.values.shape[1] == -(-task.samples // 80)
    assert found.completeness_error.max() <= 0.05  # evenly spread nodes miss by half
    picture = attribution.attribute(model, task, part, nodes=4)
    assert picture.space == "time_frequency"
    assert len(picture.facts["bands_hz"]) == picture.values.shape[2] == 40


def test_texts_have_scores_by_token_and_padding_changes_nothing(read: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = read
    found = attribution.attribute(model, task, part, nodes=8)
    pieces = found.pieces(0)
    text = str(part.values("text")[0])
    assert [piece.text for piece in pieces] == [text[piece.start : piece.end] for piece in pieces]
    assert "".join(piece.text for piece in pieces) == text.replace(" ", "")
    assert sum(piece.score for piece in pieces) == pytest.approx(found.sums[0], rel=1e-4)
    one = attribution.attribute(model, task, part.take([3]), nodes=8)
    length = len(one.pieces(0))
    np.testing.assert_allclose(found.values[3, :length], one.values[0, :length], atol=1e-5)
    assert (found.values[3, length:] == 0).all()


class Unmasked(torch.nn.Module):
    """It reads padding as it reads words."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.table, self.last = torch.nn.Embedding(vocabulary, 8), torch.nn.Linear(8, 3)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.table(tokens)).mean(1))


def test_padding_stays_where_a_network_reads_it(read: tuple[nn.Model, Classify, data.Dataset]) -> None:
    _, task, part = read
    model = nn.own(Unmasked(task.tokenizer.size), task)
    found = attribution.attribute(model, task, part.take(range(4)), nodes=20)
    assert found.values.shape[1] == task.arrays["tokens"][1][0]
    assert found.completeness_error.max() <= 0.01


class Own(torch.nn.Module):
    """Convolution and normalisation side by side, as users write them; and one used by two readers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4)
        self.norm.running_mean += torch.tensor([0.5, -0.2, 0.1, 0.3])
        self.last = torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.conv(x)
        return self.last((self.norm(found).relu() + found).mean((2, 3)))


def test_a_module_of_ones_own_is_only_folded_where_its_answers_stay(
        seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    _, task, part = seen
    model = nn.own(Own(), task)
    found = attribution.attribute(model, task, part)
    assert found.completeness_error.max() <= 0.01
    route = Route(model, None, task.prepare(task.read(part)))
    assert float(route.network.get_submodule("layers.network.norm").running_mean.abs().max()) > 0.1
    x = torch.from_numpy(np.array(task.prepare(task.read(part))["image"]))
    torch.testing.assert_close(route.network(x), model.module.eval()(x))


@pytest.mark.parametrize("method", [pytest.param(name, marks=pytest.mark.slow) if name in ("occlusion", "smoothgrad")
                                    else name for name in sorted(attribution.METHODS)])
def test_every_method_gives_a_map_that_changes_with_the_target(
        method: str, seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = seen
    left, right = (attribution.attribute(model, task, part.take(range(4)), method=method, target=side)
                   for side in ("left", "right"))
    assert left.values.shape == (4, 8, 8)
    assert left.targets == ("left",) * 4
    assert np.isfinite(left.values).all()
    assert not np.array_equal(left.values, right.values)


def test_occlusion_finds_what_the_answer_hangs_on_also_in_what_has_no_gradient(
        seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    _, task, part = seen

    def file(arrays: tasks.Arrays) -> dict[str, np.ndarray]:
        corner = arrays["image"][:, :2, :2].astype(np.float32).mean((1, 2, 3)) / 255
        return {"logits": np.stack([corner, -corner], 1).astype(np.float32)}

    found = attribution.attribute(file, task, part.take(range(3)), method="occlusion", window=2)
    assert (found.values[:, :2, :2] > 0).all()
    assert (found.values[:, 2:] == 0).all()
    with pytest.raises(LinnetError, match=r"has no gradients.*nn\.load.*method=.occlusion."):
        attribution.attribute(file, task, part)


def test_a_sample_that_is_the_baseline_has_nothing_to_explain(seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, _ = seen
    found = attribution.attribute(model, task, [np.zeros((8, 8, 1), np.uint8)])
    assert (found.values == 0).all()
    assert found.completeness_error.tolist() == [0]


def test_names_that_do_not_exist_have_a_nearest_one(seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = seen
    for said, asked in (("layer 'stem1'; did you mean 'stem'", {"layer": "stem1"}),
                        ("label 'lefft'; did you mean 'left'", {"target": "lefft"}),
                        ("method 'salency'; did you mean 'saliency'", {"method": "salency"}),
                        ("setting of integrated_gradients 'node'; did you mean 'nodes'", {"node": 3}),
                        ("'waveform' is for recordings", {"layer": "waveform"}),
                        ("nodes is how many", {"nodes": 0}), ("rows is how many", {"rows": 0}),
                        ("one label, or one a sample", {"target": ["left"]}),
                        ("the baseline has shape", {"baseline": np.zeros((1, 3, 3))})):
        with pytest.raises(LinnetError, match=said):
            attribution.attribute(model, task, part, **asked)
    with pytest.raises(LinnetError, match="no sample was given"):
        attribution.attribute(model, task, [])
    with pytest.raises(LinnetError, match=r"nn\.own"):
        attribution.attribute(model.module, task, part)


def test_the_first_layer_that_gives_no_numbers_is_named(seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = seen
    broken = replace(model, module=nn.zoo.build(model.spec).module)
    with torch.no_grad():
        broken.module.layers["stage2_1"].first.conv.weight[0, 0, 0, 0] = np.nan
    with pytest.raises(LinnetError, match=r"the first layer to give them is .layers\.stage2_1\.first"):
        attribution.attribute(broken, task, part)


def test_an_answer_a_position_is_refused_and_grad_cam_needs_places(
        read: tuple[nn.Model, Classify, data.Dataset], sentences: data.Splits) -> None:
    model, task, part = read
    with pytest.raises(LinnetError, match="has places in height and width"):
        attribution.attribute(model, task, part, method="grad_cam")
    tag = tasks.Tag(sentences, input="text", target="slots")
    with pytest.raises(LinnetError, match="one answer a sample"):
        attribution.attribute(nn.zoo.textcnn(tag, width=8), tag, part)


@pytest.mark.slow
def test_the_tests_are_made_by_default_and_an_untrained_network_is_seen(
        seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, part = seen
    part = part.take(range(8))
    made = attribution.explained(model, task, part, nodes=16)
    assert made.findings.kind == "attribution"
    assert set(made.findings.facts["tests"]) == {"completeness", "faithfulness", "sanity"}
    assert made.findings.facts["tests"]["faithfulness"]["n"] == len(part)
    assert list(made.findings.facts["tests"]["sanity"]["stages"])[-1] == "all weights"
    again = attribution.explained(model, task, part, nodes=16)
    assert again.findings == made.findings
    size = attribution.explained(model, task, part, method="saliency")
    assert size.findings.facts["not_tested"] == {"completeness": "saliency makes no promise of a sum"}


def test_maps_that_hardly_look_at_the_weights_fail_the_sanity_test(
        seen: tuple[nn.Model, Classify, data.Dataset]) -> None:
    """A network whose gradient is the same whatever its last weights are: all that a map shows is the input."""
    _, task, part = seen

    class Bright(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = torch.nn.Linear(1, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(x.mean((2, 3)))

    made = attribution.explained(nn.own(Bright(), task), task, list(task.read(part)) * 2, nodes=2)
    assert "sanity" in made.findings.facts["failed"]
    assert any("untrained network" in warning for warning in made.findings.facts["warnings"])


def test_recordings_of_any_length_and_rows_of_a_table_are_explained(tunes: data.Splits, numbers: data.Splits) -> None:
    whole = tasks.Regress(tunes, input="audio", target="highest", tolerance=100)
    found = attribution.attribute(nn.zoo.crnn(whole, width=8), whole, tunes.test.take(range(3)))
    assert found.completeness_error.max() <= 0.01
    assert found.targets == ("highest",) * 3
    table = tasks.Classify(numbers, input=["length", "width"], target="colour")
    found = attribution.attribute(nn.zoo.mlp(table, width=8), table, numbers.test.take(range(3)))
    assert (found.space, found.values.shape) == ("columns", (3, 2))


def test_explaining_leaves_a_model_in_training_as_it_was(heard: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, samples = heard
    model.module.train()
    before = {name: values.clone() for name, values in model.module.state_dict().items()}
    maps = [attribution.attribute(model, task, samples, method="grad_cam").values for _ in range(2)]
    np.testing.assert_array_equal(*maps)
    assert model.module.training
    assert all(torch.equal(values, before[name]) for name, values in model.module.state_dict().items())


def test_settings_that_are_none_are_refused(heard: tuple[nn.Model, Classify, data.Dataset]) -> None:
    model, task, samples = heard
    with pytest.raises(LinnetError, match="tolerance"):
        attribution.attribute(model, task, samples, tolerance=-1)
    with pytest.raises(LinnetError, match="seed"):
        attribution.explained(model, task, samples, method="saliency", seed="a")
    with pytest.raises(LinnetError, match="got NoneType"):
        attribution.attribute(model, task, None)
