import os
import re
import subprocess
import sys
from pathlib import Path

from linnet import evidence
from linnet.runtime.artifact import read, write
from linnet.runtime.claims import with_claims

PAGE = Path(__file__).parents[2] / "docs" / "file.md"


def test_the_file_is_read_as_the_page_says_without_linnet(tones_file: Path, tones_scores: evidence.Scores) -> None:
    claim = evidence.accuracy_at_least(tones_scores, bound=0.5)
    write(tones_file.with_name("digits.onnx"), with_claims(read(tones_file), [claim]))
    [script] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert "linnet" not in re.findall(r"^(?:from|import) .*", script, flags=re.MULTILINE)[0]
    done = subprocess.run([sys.executable, "-I", "-c", script], cwd=tones_file.parent, capture_output=True, text=True,
                          check=True, env={"PATH": os.environ["PATH"]})
    assert done.stdout.splitlines() == ["tones ['high', 'low', 'middle']", f"holds {claim.statement}"]
