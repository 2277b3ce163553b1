"""Every causal family heard in chunks answers as for the whole; each causal layer carries what it must."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
import pytest
import torch
from stand_in import StandIn, answers, recordings, windows

from linnet import nn
from linnet.errors import LinnetError
from linnet.nn import zoo
from linnet.nn.carrying import kept_by, step_samples, streaming
from linnet.nn.loudness import CAUSAL, NORMALISATIONS, POWER_FLOOR

FAMILIES: dict[str, tuple[Callable[..., nn.Model], list[StandIn]]] = {
    "crnn": (partial(zoo.crnn, width=8), [make(output) for make in (recordings, windows) for output in answers(None)]),
    "conformer": (partial(zoo.conformer, width=8),
                  [make(output) for make in (recordings, windows) for output in answers(None)]),
    "dscnn": (partial(zoo.dscnn, width=8), [windows()]), "bcresnet": (zoo.bcresnet, [windows()]),
    "resnet": (partial(zoo.resnet, depth=8), [windows()]),
    "mobilenet": (partial(zoo.mobilenet, width=0.1), [windows()]),
}
CASES = [pytest.param(make, task, id=f"{family}, {'window' if len(task.arrays) == 1 else 'recording'}, {task.output}")
         for family, (make, found) in FAMILIES.items() for task in found]


def test_these_are_all_families_that_can_be_causal() -> None:
    assert set(FAMILIES) == {name for name, make in nn.FAMILIES.items() if "causal" in signature(make).parameters}


def lively(model: nn.Model) -> torch.nn.Module:
    """Its network in float64, with activations that are not as small as those of fresh weights."""
    for unit in model.module.modules():
        if isinstance(unit, torch.nn.BatchNorm2d):
            unit.running_var.fill_(0.05)  # type: ignore[union-attr]
    return model.module.double().eval()


def sound(samples: int, batch: int = 2) -> torch.Tensor:
    """Noise that comes and goes, so that what was loud before matters."""
    rng = np.random.default_rng(1)
    loudness = np.exp(2 * np.sin(np.arange(samples) / 700)) / 30
    return torch.from_numpy(rng.normal(0, 1, (batch, samples)) * loudness)


def in_chunks(module: torch.nn.Module, audio: torch.Tensor, sizes: Sequence[int], *, has_lengths: bool) -> list[Any]:
    """The answers to consecutive chunks of these many samples."""
    carried = streaming(module)
    first = (audio[:, : sizes[0]], *([torch.full((len(audio),), sizes[0])] if has_lengths else []))
    state = [torch.zeros(len(audio), *shape, dtype=audio.dtype) for shape in kept_by(carried, first).values()]
    given = []
    with torch.no_grad():
        for chunk in audio.split(list(sizes), dim=1):
            lengths = [torch.full((len(audio),), chunk.shape[1])] if has_lengths else []
            answer, *state = carried(chunk, *lengths, *state)
            given.append(answer)
    return given


@pytest.mark.parametrize(("make", "task"), CASES)
def test_chunks_are_answered_as_the_whole(make: Callable[..., nn.Model], task: StandIn) -> None:
    model = make(task, causal=True, seed=2)
    module, step = lively(model), step_samples(model)
    assert step is not None
    samples = 8000 if len(task.arrays) == 1 else 7777
    audio, has_lengths = sound(samples), "lengths" in task.arrays
    with torch.no_grad():
        whole = module(audio, *([torch.full((2,), samples)] if has_lengths else []))
    rng = np.random.default_rng(0)
    for largest in (2, 9):
        sizes = []
        while sum(sizes) < samples:
            sizes.append(min(step * int(rng.integers(1, largest + 1)), samples - sum(sizes)))
        given = in_chunks(module, audio, sizes, has_lengths=has_lengths)
        heard = torch.cat(given, dim=1) if whole.ndim == 3 else given[-1]
        torch.testing.assert_close(heard, whole, atol=1e-6, rtol=0)
        assert len({tuple(answer.shape) for answer in given}) == 1 or whole.ndim == 3
    assert not torch.allclose(module(audio.flip(1), *([torch.full((2,), samples)] if has_lengths else [])), whole)


def test_what_came_before_matters_and_a_new_stream_has_forgotten_it() -> None:
    module = zoo.crnn(recordings(("logits", (None, 5))), width=8, causal=True).module.double().eval()
    audio = sound(6400)
    first, after = in_chunks(module, audio, [3200, 3200], has_lengths=True)
    (anew,) = in_chunks(module, audio[:, 3200:], [3200], has_lengths=True)
    assert (after - anew).abs().max() > 1e-4
    (again,) = in_chunks(module, audio[:, :3200], [3200], has_lengths=True)
    assert torch.equal(again, first)


def test_a_window_slides_over_a_long_sound() -> None:
    model = zoo.dscnn(windows(), width=8, causal=True)
    module, step = lively(model), step_samples(model)
    assert step is not None
    beep = sound(8000)
    long = torch.cat([beep, torch.zeros(2, 16000)], dim=1)
    given = in_chunks(module, long, [step] * (24000 // step), has_lengths=False)
    with torch.no_grad():
        silence = module(torch.zeros(2, 8000, dtype=torch.float64))
    torch.testing.assert_close(given[-1], silence, atol=1e-6, rtol=0)  # a second after the sound it has left the window
    assert (given[30] - silence).abs().max() > 1e-3


@pytest.mark.parametrize("past", [1, 3])
def test_attention_of_a_causal_one_reaches_no_further_than_it_says(past: int) -> None:
    task = recordings(("logits", (None, 5)))
    spec = {**zoo.conformer(task, width=8, causal=True).spec, "past": past, "kernel": 1}
    spec["layers"] = spec["layers"][:2]
    module = nn.build(spec).module.double().eval()
    other = sound(8000)
    other[:, :320] *= -1.01  # the running maximum is another one by no more than that
    lengths = torch.full((2,), 8000)
    with torch.no_grad():
        module.front.normalisation = NORMALISATIONS["absolute"](40, 0.01)  # type: ignore[assignment]
        moved = (module(sound(8000), lengths) - module(other, lengths)).abs().amax(dim=(0, 2))
    reached = 3 + past  # frames 0 to 2 hear the change, and so many see one of these
    assert moved[:reached].min() > 1e-9
    assert not moved[reached:].any()


@pytest.mark.parametrize("normalisation", CAUSAL)
@pytest.mark.parametrize("hops", [1, 4])
def test_the_front_end_goes_on_where_it_was(normalisation: str, hops: int) -> None:
    front = nn.LogMel(8000, None, normalisation=normalisation, hops_per_step=hops).double().eval()
    audio = sound(4000)
    whole = front(audio)
    assert whole.shape == (2, 1, -(-50 // hops) * hops, 40)
    sizes = [80 * hops] * (50 // hops) + [4000 % (80 * hops)] * bool(4000 % (80 * hops))
    heard = torch.cat(in_chunks(front, audio, sizes, has_lengths=False), dim=2)
    torch.testing.assert_close(heard, whole, atol=1e-9, rtol=0)


def test_a_causal_frame_ends_with_its_hop() -> None:
    front = nn.LogMel(8000, None, normalisation="absolute", hops_per_step=1)
    plain = nn.LogMel(8000, None, normalisation="absolute")
    audio = sound(4000).float()
    torch.testing.assert_close(front(audio)[:, :, 2:], plain(audio)[:, :, :-2], atol=1e-6, rtol=0)
    assert front.counts(torch.tensor([79, 80, 4000])).tolist() == [0, 1, 50]


def test_the_loudest_of_long_ago_is_carried_and_forgotten_as_it_would_be() -> None:
    layer = NORMALISATIONS["running"](3, 0.01).double()
    power = torch.full((1, 3000, 3), 1e-3, dtype=torch.float64)
    power[0, 5] = 1e5
    whole = layer(power)
    heard = torch.cat(in_chunks(layer, power, [7] * 428 + [4], has_lengths=False), dim=1)
    torch.testing.assert_close(heard, whole, atol=1e-9, rtol=0)
    assert power.min() > POWER_FLOOR


def test_what_hears_the_whole_takes_no_stream() -> None:
    with pytest.raises(LinnetError, match=r"'below_maximum' hears the whole clip.*one of absolute, pcen, running"):
        nn.LogMel(8000, None, hops_per_step=4)
    assert step_samples(zoo.crnn(recordings(), width=8)) is None
