"""Draw docs/pictures/introspect/health.svg: what `linnet data profile fsdd` sees. Needs LINNET_DATA."""

from __future__ import annotations

from pathlib import Path

from linnet import data, introspect
from linnet.files import replacing
from linnet.report import health

SHOWN = ("audio.seconds", "audio.loudness", "audio.silence", "audio.start", "audio.end", "audio.offset")


def main() -> None:
    """Six of the measures of FSDD, as on the page."""
    facts = introspect.profile(data.load("fsdd")).facts
    figure = health.histograms({"measures": {name: facts["measures"][name] for name in SHOWN}})
    path = Path(__file__).parent / "pictures" / "introspect" / "health.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    if figure is not None:
        with replacing(path) as partial:
            partial.write_text(figure.svg, encoding="utf-8")


if __name__ == "__main__":
    main()
