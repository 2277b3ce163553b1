"""Take the README's picture of a report: python docs/picture.py [runs/digits/report.html [picture.png]].

Needs Chromium on PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).with_name("report.png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-quic",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")


def take(page: Path, picture: Path, *, width: int = 1100, height: int = 900) -> Path:
    """The first screen of `page` as a PNG of `width` x `height` pixels."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no browser found; looked for {', '.join(BROWSERS)}. On Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run([browser, *QUIET, f"--user-data-dir={profile}", f"--screenshot={picture.resolve()}",
                        f"--window-size={width},{height}", page.resolve().as_uri()], check=True, capture_output=True,
                       timeout=120)
    return picture


if __name__ == "__main__":
    report = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/digits/report.html")
    if not report.exists():
        raise SystemExit(f"there is no report at {report}; make one with: linnet run recipes/digits.yaml")
    print(take(report, Path(sys.argv[2]) if len(sys.argv) > 2 else PICTURE))
