"""The picture of the explorer: python docs/introspect_pictures_look.py PAGE.html [PICTURE.png].

PAGE is what `linnet look RUN --save PAGE.html` writes; its first finding is clicked, then a sample of it. Needs
Chromium on PATH, and pillow.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

PICTURE = Path(__file__).parent / "pictures" / "introspect" / "look.png"
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))


def take(page: Path, picture: Path, *, sample: int = 3) -> Path:
    """1280 x 800, in 256 colours so that it stays small."""
    from chrome import Chrome
    from PIL import Image

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, \
            Chrome(Path(profile), width=1280, height=800) as browser:
        browser.open(page.resolve().as_uri())
        browser.ask("document.querySelector('.finding').click()")
        browser.until(f"document.querySelectorAll('.list button, .thumbs img').length > {sample}")
        time.sleep(1)  # the map glides to the finding
        browser.ask(f"document.querySelectorAll('.list button, .thumbs button')[{sample}].click()")
        browser.until("document.querySelector('#sample .part')")
        time.sleep(0.5)
        picture.parent.mkdir(parents=True, exist_ok=True)
        browser.picture(picture)
    few = Image.open(picture).convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)
    return picture


if __name__ == "__main__":
    print(take(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else PICTURE))
