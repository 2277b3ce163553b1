"""remove_blocks: whole residual or transformer blocks go, so that latency falls on any engine."""

from __future__ import annotations

from pydantic import Field

from linnet.nn import Model, remove_blocks
from linnet.shrink.method import Materials, Method, Settings, unchanged


class RemoveBlocks(Settings):
    """`layers`: the blocks that go; `nn.removable_blocks` lists those that can."""

    layers: list[str] = Field(min_length=1)


def _remove(model: Model, settings: RemoveBlocks, materials: Materials) -> Model:
    return remove_blocks(model, settings.layers)


METHOD = Method(summary="removes whole blocks around which the signal also goes straight",
                settings=RemoveBlocks, prepare=_remove, finish=unchanged, needs_tuning=True)
