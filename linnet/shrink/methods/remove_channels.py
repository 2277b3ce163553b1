"""remove_channels: whole channels go, so that the network is smaller and faster on any engine."""

from __future__ import annotations

from pydantic import Field

from linnet.errors import LinnetError
from linnet.nn import Model, remove_channels
from linnet.shrink.method import Materials, Method, Settings, unchanged


class RemoveChannels(Settings):
    """`layers`: by layer, the channels that go."""

    layers: dict[str, list[int]] = Field(min_length=1)


def _remove(model: Model, settings: RemoveChannels, materials: Materials) -> Model:
    if not any(settings.layers.values()):
        raise LinnetError("the plan changes nothing: remove_channels names no channel.")
    return remove_channels(model, settings.layers)


METHOD = Method(summary="removes whole channels, so that the network is smaller and faster on any engine",
                settings=RemoveChannels, prepare=_remove, finish=unchanged, needs_tuning=True)
