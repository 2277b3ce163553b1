"""Every recipe on the real data, from recordings to a proven file: python bench/families.py [NAME ...]

One row a recipe: its family and parameters, the file in KB, how many answers of the float file and of the shipped one
are right on the test part, the difference with its interval, the field's own figure where there is one (slot F1, token
error rate), the latency of both, and the CPU time of the whole recipe. Runs are kept in bench/results/families/, so one
that was stopped goes on, and a finished one is only read.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "bench" / "results" / "families"


def run(recipe: Path) -> float:
    """Run a recipe as a user would; the CPU seconds that this call took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "LINNET_STATE": str(RUNS / "state")}
    command = [sys.executable, "-c", "from linnet.cli import main; main()", "run", str(recipe), "--folder", str(RUNS)]
    ended = subprocess.run(command, env=environment, cwd=ROOT, check=False)
    if ended.returncode not in (0, 1, 2):
        raise SystemExit(f"{recipe.name} ended with {ended.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def spent(name: str, seconds: float) -> float:
    """CPU seconds over all calls that did something; a call that only looks takes little and is not added."""
    path = RUNS / name / "cpu.json"
    before = float(json.loads(path.read_text())) if path.exists() else 0.0
    total = before + seconds if seconds > 30 or not before else before
    path.write_text(json.dumps(total))
    return total


def row(name: str, cpu_seconds: float) -> dict[str, Any]:
    """What the run left in its folder."""
    from linnet import evidence, recipe

    found = recipe.read(RUNS / name)
    assert found.card is not None
    assert found.after is not None
    metrics = found.task.metrics(found.after.answers, found.after.targets) if found.task else {}
    difference = evidence.no_worse(found.after, found.before, margin=0.03) if found.before else None
    slow, fast = (found.benches[0].p50_ms, found.benches[-1].p50_ms) if found.benches else (float("nan"),) * 2
    return {"recipe": name, "family": found.card.model["family"], "parameters": found.card.parameters,
            "rows": len(found.after), "float": found.before.mean if found.before else float("nan"),
            "shipped": found.after.mean, "difference": difference and difference.interval,
            "metrics": {key: round(value, 4) for key, value in metrics.items()},
            "kb": found.file.stat().st_size / 1000 if found.file else float("nan"),
            "ms": (slow, fast), "cpu_minutes": cpu_seconds / 60,
            "claims": ", ".join(f"{claim.kind} {claim.verdict}" for claim in found.claims)}


def shown(entry: dict[str, Any]) -> str:
    """One line of the table."""
    low, high = entry["difference"] or (float("nan"),) * 2
    metrics = ", ".join(f"{name} {value:.3f}" for name, value in entry["metrics"].items()) or "-"
    return (f"| {entry['recipe']} | {entry['family']} | {entry['parameters']:,} | {entry['rows']:,} | "
            f"{entry['float']:.4f} | {entry['shipped']:.4f} | {100 * low:+.1f} to {100 * high:+.1f} | {metrics} | "
            f"{entry['kb']:.0f} | {entry['ms'][0]:.2f} / {entry['ms'][1]:.2f} | {entry['cpu_minutes']:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="recipes by name; all of them without")
    names = parser.parse_args().names or sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml"))
    RUNS.mkdir(parents=True, exist_ok=True)
    rows = [row(name, spent(name, run(ROOT / "recipes" / f"{name}.yaml"))) for name in names]
    print("| recipe | family | parameters | test rows | float | shipped | difference, points | further | KB | "
          "ms float / shipped | CPU min |")
    print("|---" * 11 + "|")
    for entry in rows:
        print(shown(entry))


if __name__ == "__main__":
    main()
