import copy

import torch

from linnet import data, nn, tasks
from linnet.train.precision import computing, spare_front_ends


def test_half_the_bits_but_not_in_the_front_end(tone_task: tasks.Classify, tones: data.Splits) -> None:
    device, seen = torch.device("cpu"), {}
    whole = nn.zoo.dscnn(tone_task, width=8, seed=0).module.eval()
    module = copy.deepcopy(whole)
    spare_front_ends(module, device)
    audio = torch.from_numpy(tone_task.prepare(tone_task.read(tones.validation.take(range(4))))["audio"])

    def note(name: str, part: torch.nn.Module) -> None:
        part.register_forward_hook(lambda _module, _inputs, output: seen.update({name: output}))

    note("front", module.get_submodule("front"))
    note("block", module.get_submodule("layers.block1"))
    for _ in range(2):
        with torch.no_grad(), computing(device, "bfloat16"):
            logits = module(audio)
        assert seen["front"].dtype == torch.float32
        assert seen["block"].dtype == torch.bfloat16
    with torch.no_grad():
        assert torch.equal(seen["front"], whole.get_submodule("front")(audio))
        assert torch.allclose(logits.float(), whole(audio), atol=0.05)
    assert not torch.is_autocast_enabled("cpu")
