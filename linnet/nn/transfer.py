"""Begin where another network ended: its weights, wherever both have a layer of one name and one shape."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from linnet.errors import LinnetError
from linnet.nn.model import Model


def transfer(source: Model, model: Model) -> Model:
    """`model` with the weights of `source` in every tensor that both have by name and by shape; the rest stays fresh.

    So a network that was trained for one task begins with what another one heard: of one family and one dial all but
    the head is taken (Yosinski et al. 2014, arXiv:1411.1792). `notes["began"]` says from whom, and how many numbers.
    Neither model is changed. Raises LinnetError where no weight fits.
    """
    given, fresh = source.module.state_dict(), model.module.state_dict()
    taken = {name: values for name, values in given.items() if name in fresh and fresh[name].shape == values.shape}
    numbers = sum(values.numel() for name, values in model.module.named_parameters() if name in taken)
    if not numbers:
        raise LinnetError(f"no weight of {source.name} ({source.spec['family']}) fits {model.name} "
                          f"({model.spec['family']}): names or shapes differ everywhere. Begin from a model of the "
                          "same family with the same dial.")
    module = deepcopy(model.module)
    module.load_state_dict(taken, strict=False)
    began = {"model": source.name, "identity": source.identity, "numbers": numbers}
    return replace(model, module=module, notes={**model.notes, "began": began})
