"""The admin UI: a Streamlit server in the foreground."""

from __future__ import annotations

import ipaddress
import os
import shlex
import sys
from typing import TYPE_CHECKING

from task_groups import terminal
from task_groups.running import run as command_line, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.settings import Settings
    from core.targets import Target

LOOPBACK = "127.0.0.1"
FIRST_PORT = 8501
PORTS_TRIED = 50


@task(
    help=help_for(
        "prod",
        write="Allow messages to be sent where the target is production.",
        port="Port to listen on. The first free one from 8501 unless given.",
        address="Listen on this address of the machine, not on 127.0.0.1. Needs --url and a login.",
        url="The https address at which people open the admin UI. Needs a login.",
    ),
    opens={"postgres": "looking", "dynamodb": "looking"},
)
def admin(
    ctx: Context,
    prod: bool = False,
    write: bool = False,
    port: str = "",
    address: str = "",
    url: str = "",
) -> None:
    """Open the admin UI on the target; Ctrl-C ends it."""
    from core.errors import UsageError
    from core.origins import parse_url

    if address and not url:
        raise UsageError(
            "--address needs --url", "Give the https address at which people open the admin UI."
        )
    address = _ip_address(address)
    url = str(parse_url(url, "--url")) if url else ""
    command_line().tell_target()
    run(ctx, command_line().target, write=write, port=port, address=address, url=url)


def run(
    ctx: Context,
    target: Target,
    *,
    write: bool,
    port: str,
    address: str = LOOPBACK,
    url: str = "",
) -> None:
    """Replace this process with the admin UI's server, and pass on what the app may do."""
    from core.settings import PROJECT_ROOT

    number = free_port(port, address)
    command = [
        *(sys.executable, "-m", "admin_app", f"--port={number}"),
        *([f"--address={address}"] if address != LOOPBACK else []),
        *([f"--url={url}"] if url else _forwarded(target.settings, number)),
        "--",
        *shlex.split(target.options),
        *(["--write"] if write else []),
    ]
    if terminal.is_dry(ctx):
        terminal.print_line(f"would run: {shlex.join(command)}")
        return
    os.chdir(PROJECT_ROOT)  # where .streamlit is
    sys.stdout.flush()  # what waits for a pipe or a file would be lost
    os.execv(sys.executable, command)  # noqa: S606 - our own arguments, and no shell


def _ip_address(option: str) -> str:
    """The address that ``--address`` asks for; loopback where it is not given."""
    from core.errors import UsageError

    try:
        return str(ipaddress.ip_address(option)) if option else LOOPBACK
    except ValueError:
        raise UsageError(f"--address needs an IP address, not {option!r}") from None


def free_port(option: str, address: str = LOOPBACK) -> int:
    """The port that ``--port`` asks for, or the first free one."""
    from core.engines.processes import is_free
    from core.errors import UsageError

    wanted = terminal.whole_number(option, "--port")
    if wanted is not None and wanted > 65_535:
        raise UsageError(f"--port needs a number up to 65535, not {wanted}")
    if wanted is not None and not is_free(wanted, address):
        raise UsageError(
            f"Port {wanted} is taken", "Choose another port with --port, or leave it out."
        )
    ports = [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    free = next((port for port in ports if is_free(port, address)), None)
    if free is None:
        raise UsageError(f"No port from {FIRST_PORT} up is free", "Choose one with --port.")
    return free


def _forwarded(settings: Settings, port: int) -> list[str]:
    """The option that lets a workspace's forwarded address in, and no other."""
    host = None
    if settings.gitpod_url:
        host = f"{port}-{settings.gitpod_url.split('://')[-1].rstrip('/')}"
    elif settings.codespace_name:
        host = f"{settings.codespace_name}-{port}.{settings.codespaces_domain}"
    return [] if host is None else [f"--forwarded=https://{host}"]
