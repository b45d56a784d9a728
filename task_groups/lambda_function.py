"""The stream's Lambda function."""

from __future__ import annotations

from pathlib import Path

from invoke.collection import Collection
from invoke.exceptions import Exit

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

DEFAULT_FILE = "build/stream-function.zip"
_FILE = "Where to write the zip."
_OPENS = {"dynamodb": "writing", "aws": "writing"}


@task(help={"file": _FILE})
def package(ctx: Context, file: str = DEFAULT_FILE) -> None:
    """Build the zip of the stream function that aws/template.yaml deploys."""
    from core.aws import HANDLER, build_zip

    if terminal.is_dry(ctx):
        terminal.print_line(f"would write {file}")
        return
    size = build_zip(Path(file))
    terminal.print_line(f"wrote {file}: {size:,} bytes, handler {HANDLER}", bytes=size, file=file)


@task(help=help_for("prod", "confirm", file=_FILE), opens=_OPENS)
def deploy(ctx: Context, file: str = DEFAULT_FILE, prod: bool = False, confirm: str = "") -> None:
    """Deploy the stream function for the message table, or bring it up to date."""
    from core.aws import stack_name
    from core.usecases import stream_function

    run().tell_target()
    with opened(ctx) as stores:
        if terminal.is_dry(ctx):
            name = stack_name(stores.table.name)
            terminal.print_line(f"would write {file} and make or change the stack {name}")
            return
        planned = stream_function.plan_deployment(stores, Path(file))
        if planned is None:
            terminal.print_line("nothing to change: the function is deployed as it is here")
            return
        changes = stream_function.shown_changes(planned)
        rows = [(change.action, change.resource, change.kind) for change in changes]
        terminal.print_table(("change", "resource", "kind"), rows, "The outputs change")
        stack = stream_function.deploy(stores, planned)
    done = "made" if planned.is_new else "changed"
    terminal.print_line(f"{done} the stack {stack.name}: {counted(len(rows), 'resource')}")


@task(
    csv=True,
    help=help_for("prod", "json"),
    opens={"dynamodb": "looking", "aws": "looking"},
)
def status(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """Show the stream function's stack, deliveries and alarms."""
    from core.aws import stack_name
    from core.usecases import stream_function

    run().tell_target()
    with opened(ctx) as stores:
        name = stack_name(stores.table.name)
        deployment = stream_function.read_deployment(stores)
    if deployment is None:
        if json:
            terminal.print_json([])
        else:
            terminal.print_line(f"There is no stack {name}: these tools deployed no function")
        return
    parts = [("stack", deployment.stack.name, deployment.stack.status, deployment.stack.reason)]
    parts += [("delivery", s.function, s.state, s.trouble) for s in deployment.sources]
    parts += [("alarm", a.name, a.state, a.means) for a in deployment.alarms]
    columns = ("part", "name", "state", "remark")
    if json:
        terminal.print_json([dict(zip(columns, part, strict=True)) for part in parts])
    else:
        terminal.print_table(columns, parts, "")
    if not deployment.is_well:
        raise Exit(code=1)


@task(help=help_for("prod", "confirm"), opens=_OPENS)
def remove(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Remove the stream function and its stack; the table and its data stay."""
    from core.aws import stack_name
    from core.usecases import stream_function

    run().tell_target()
    with opened(ctx) as stores:
        name = stack_name(stores.table.name)
        if terminal.is_dry(ctx):
            terminal.print_line(f"would remove the stack {name}")
            return
        removed = stream_function.remove(stores)
    terminal.print_line(
        f"removed the stack {name}; the table stays"
        if removed
        else f"There is no stack {name} to remove"
    )


ns = Collection("lambda", package, deploy, status, remove)
