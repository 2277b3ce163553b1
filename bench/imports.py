"""CPU seconds that it takes to start: `import linnet.runtime` and `linnet --help`, each in a process of its own.

The budget is 0.4 CPU seconds in all, the interpreter's own start (the first row) included.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

RUNS = 5
BUDGET_SECONDS = 0.4
COMMANDS = {
    "python": ["-c", "pass"],
    "import linnet.runtime": ["-c", "import linnet.runtime"],
    "linnet --help": ["-c", "import sys; from linnet.cli import main; sys.argv = ['linnet', '--help']; main()"],
}


def cpu_seconds(arguments: list[str]) -> float:
    """CPU seconds, user and system, of one fresh interpreter."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print the table; 1 where a median is over the budget."""
    medians = {}
    print(f"{'':<24}{'median CPU s':>14}{'lowest':>9}{'highest':>9}   ({RUNS} runs)")
    for name, arguments in COMMANDS.items():
        cpu_seconds(arguments)  # once for the file cache and the compiled modules
        taken = [cpu_seconds(arguments) for _ in range(RUNS)]
        medians[name] = statistics.median(taken)
        print(f"{name:<24}{medians[name]:>14.3f}{min(taken):>9.3f}{max(taken):>9.3f}")
    return int(max(medians.values()) > BUDGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
