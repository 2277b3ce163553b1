"""linnet shrink: the smallest or fastest file that is certified to be no worse."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli import screen
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.shrink.search import Trial, Wish

CODES = {"holds": 0, "fails": 1, "undecided": 2}


def shrink(model: Annotated[str, typer.Argument(help="A run's step, an ONNX file, or FILE.py:FUNCTION.",
                                                metavar="MODEL")],
           goal: Annotated[str, typer.Option(help="latency, size or energy.")] = "latency",
           no_worse: Annotated[float, typer.Option(help="How much of the score may be lost.")] = 0.01,
           level: Annotated[float, typer.Option(help="How sure that must be.")] = 0.95,
           worst_group: Annotated[float | None, typer.Option(help="How much any group may lose.")] = None,
           clusters: Annotated[str | None, typer.Option(help="The group of which whole values were sampled.")] = None,
           at_most: Annotated[float | None, typer.Option(help="What must be reached, in ms, KB or mJ.")] = None,
           engine: Annotated[str, typer.Option(help="The engine; `linnet list engines` names them.")] = "onnxruntime",
           threads: Annotated[int, typer.Option(help="Threads that the engine may use.")] = 1,
           trials: Annotated[int, typer.Option(help="How many plans are tried.")] = 20,
           minutes: Annotated[float | None, typer.Option(help="No trial begins after so long.")] = None,
           epochs: Annotated[int, typer.Option(help="Of tuning in a trial.")] = 3,
           final_epochs: Annotated[int, typer.Option(help="Of tuning for the most promising plans.")] = 0,
           workers: Annotated[int, typer.Option(help="Trials that are carried out side by side.")] = 1,
           seconds: Annotated[float, typer.Option(help="How long a file is measured.", min=0.01)] = 2.0,
           seed: Annotated[int, typer.Option(help="Another one draws other plans.")] = 0,
           samples: Annotated[str | None, typer.Option(help="Arrays (.npz) for an ONNX file without a card.")] = None,
           recipe: Annotated[str | None, typer.Option(help="The recipe, if it lies elsewhere than the model.")] = None,
           folder: Annotated[Path | None, typer.Option(help="Where trials are kept, if not beside it.")] = None
           ) -> int:
    """Search for the smallest or fastest file that is certified to be no worse.

    Plans are tried, tuned shortly and measured on the engine. The best of them is held against data that the search
    never saw. Every trial is kept: the same command goes on where it was stopped. The exit code is 0 where a smaller
    file was certified, 1 where none is good enough (the nearest is shown), 2 where the data are too few to say.

    \b
    Examples:
      linnet shrink runs/digits/big --goal size --no-worse 0.02
      linnet shrink mobilenet.onnx --samples photographs.npz --goal latency
      linnet shrink mine.py:model --at-most 5 --worst-group 0.05 --workers 2
    """
    from linnet.recipe.shrinkable import shrinkable
    from linnet.report.searched import front_text, write_front
    from linnet.shrink.search import Wish, run

    wish = Wish(goal, no_worse, level, worst_group, clusters, at_most, engine, threads, trials, minutes, epochs,
                final_epochs, seconds=seconds, workers=workers, seed=seed)
    load = partial(shrinkable, model, samples=samples, recipe=recipe, engine=engine, threads=threads, seed=seed)
    start = load()
    place = folder or Path(model.rpartition(":")[0] or model).with_suffix("").parent / f"{start.name}-shrink"
    with screen.progress() as progress:
        found = run(start, wish, place, progress=progress, watch=partial(_watch, wish), reload=load)
    typer.echo(front_text(found))
    typer.echo(f"The file: {found.file}" if found.file else "No file was written.")
    with suppress(LinnetError):  # the picture needs an extra; the table does not
        typer.echo(f"The front as a picture: {write_front(found, found.folder / 'front.svg')}")
    typer.echo(f"All of it: {found.folder / 'result.json'}")
    return CODES[found.verdict]


def _watch(wish: Wish, trial: Trial, front: Sequence[Trial]) -> None:
    """One line a trial, marked where it is of the front."""
    from linnet.shrink.search import told, words

    if trial.state == "done":
        screen.say(f"{'*' if trial in front else ' '} {told(trial, wish)}")
    else:
        screen.say(f"- trial {trial.job.number}, {words(trial.job.plan)}: {trial.state}: {trial.reason}")
