"""The stream's Lambda function."""

from __future__ import annotations

from pathlib import Path

from invoke.collection import Collection

from task_groups import terminal
from task_groups.running import task
from task_groups.terminal import Context

DEFAULT_FILE = "build/stream-function.zip"


@task(help={"file": f"Where to write the zip. {DEFAULT_FILE} unless given."})
def package(ctx: Context, file: str = DEFAULT_FILE) -> None:
    """Build the zip of the stream function that aws/template.yaml deploys."""
    from core.aws import HANDLER, build_zip

    if terminal.is_dry(ctx):
        terminal.print_line(f"would write {file}")
        return
    size = build_zip(Path(file))
    terminal.print_line(f"wrote {file}: {size:,} bytes, handler {HANDLER}")


ns = Collection("lambda", package)
