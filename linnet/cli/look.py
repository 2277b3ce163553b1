"""linnet look: wander among samples, beside what a model makes of them and what was found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli import screen

if TYPE_CHECKING:
    from linnet.report.look import Server

def look(given: Annotated[str, typer.Argument(help="A run's folder, a shipped file, or data.", metavar="RUN_OR_DATA")],
         source: Annotated[str | None, typer.Option("--data", help="Other data than the run's or the file's.")] = None,
         on: Annotated[str, typer.Option(help="The part of a run: train, validation or test.")] = "validation",
         layer: Annotated[str | None, typer.Option(help="The layer by which samples lie; the last one.")] = None,
         method: Annotated[str | None, typer.Option("--map", help="The map: neighbours, pca, umap ...")] = None,
         findings: Annotated[list[Path] | None, typer.Option(help="A JSON file of findings; repeatable.")] = None,
         save: Annotated[Path | None, typer.Option(help="Write one file instead of serving.")] = None,
         limit: Annotated[int, typer.Option(min=0, help="Samples that carry their media in that file.")] = 1000,
         port: Annotated[int, typer.Option(min=0, max=65535, help="Serve at this port; 0: any free one.")] = 0,
         is_opened: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
         ) -> int:
    """Look at samples: a map on which alike ones lie together, what each holds, and what was found about them.

    The page is served to this machine only, until Ctrl-C; --save writes it as one file that needs nothing else.

    \b
    Examples:
      linnet look runs/digits
      linnet look runs/digits --on test --findings doubtful.json
      linnet look clinc150 --map umap
      linnet look runs/digits --save digits.html
    """
    from linnet import recipe
    from linnet.report.look import Server, write

    read = [found for path in findings or () for found in recipe.findings_in(path)]
    with screen.progress() as progress:
        view = recipe.look(given, recipe.Asked(on, source, layer, method), progress=progress)
        view = replace(view, findings=(*view.findings, *read))
        if save is not None:
            path, sentence = write(view, save, limit=limit, progress=progress)
            typer.echo(f"{path}: {sentence}")
            return 0
    _serve(Server(view, port=port), is_opened=is_opened)
    return 0


def _serve(server: Server, *, is_opened: bool) -> None:
    with server:
        typer.echo(server.address)
        screen.say(f"{server.view.sentence} Open that address; Ctrl-C ends it.")
        if is_opened:
            typer.launch(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            screen.say("ended.")
