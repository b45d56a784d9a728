"""The stream's Lambda function."""

from __future__ import annotations

from pathlib import Path

from invoke.collection import Collection

from task_groups import edge
from task_groups.edge import Context, task

DEFAULT_FILE = "build/stream-function.zip"


@task(help={"file": f"Where to write the zip. {DEFAULT_FILE} unless given."})
def package(ctx: Context, file: str = DEFAULT_FILE) -> None:
    """Build the zip of the stream function that aws/template.yaml deploys."""
    from core.aws.lambda_package import HANDLER, build_zip

    if edge.is_dry(ctx):
        edge.print_line(f"would write {file}")
        return
    size = build_zip(Path(file))
    edge.print_line(f"wrote {file}: {size:,} bytes, handler {HANDLER}")


ns = Collection("lambda", package)
