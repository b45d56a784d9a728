"""Starts the admin UI's server in the place of the command, or finds the one that runs."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Set
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from core.commands import INVOKE, program
from task_groups import terminal
from task_groups.recording import Form, answer
from task_groups.running import run as command_line
from task_groups.terminal import Context

if TYPE_CHECKING:
    from core.engines.web_servers import WebServer
    from core.settings import Settings

LOOPBACK = "127.0.0.1"
FIRST_PORT = 8501
PORTS_TRIED = 50


def serve(
    ctx: Context,
    *,
    port: str,
    write: bool = False,
    address: str = LOOPBACK,
    url: str = "",
    browser: bool = False,
) -> None:
    """Replace this process with the admin UI's server, and pass on what the app may do.

    If a server of the same target and options runs already, say where. ``browser`` opens the page
    if there is a desktop.
    """
    from core.engines.web_servers import one_at_a_time, running
    from core.parts import require
    from core.settings import PROJECT_ROOT

    require("streamlit")
    wanted = port_number(port)
    for_pages = [*shlex.split(command_line().target.options), *(["--write"] if write else [])]
    serves = " ".join((command_line().target_line(), address, url, *for_pages))
    is_dry = terminal.is_dry(ctx)
    with nullcontext() if is_dry else one_at_a_time(_records()):
        ours = list(running(_records()))
        for server in ours:
            if wanted in (None, server.port) and server.serves == serves:
                _tell_running(server, browser)
                return
        number = _free_port(wanted, address, {server.port for server in ours})
        forwarded = "" if url else _forwarded(command_line().settings, number)
        if not is_dry:
            _record(number, url or forwarded or f"http://{LOOPBACK}:{number}", serves)
    command = [
        *(sys.executable, "-m", "admin_app", f"--port={number}"),
        *([f"--address={address}"] if address != LOOPBACK else []),
        *([f"--url={url}"] if url else []),
        *([f"--forwarded={forwarded}"] if forwarded else []),
        *(["--browser"] if browser and has_desktop() else []),
        *([f"--record={_kept_record()}"] if answer().form is Form.RECORD and not is_dry else []),
        *([f"--program={program()}"] if program() != INVOKE else []),
        *("--", *for_pages),
    ]
    if is_dry:
        terminal.print_line(f"would run: {shlex.join(command)}")
        return
    os.chdir(PROJECT_ROOT)  # where .streamlit is
    sys.stdout.flush()  # what waits for a pipe or a file would be lost
    os.execv(sys.executable, command)  # noqa: S606 - our own arguments, and no shell


def refuse_taken(port: str) -> None:
    """Refuse the port of ``--port`` if it is taken, unless by an admin UI that was started here."""
    from core.engines.web_servers import running

    wanted = port_number(port)
    ours = {server.port for server in running(_records())}
    if wanted is not None and wanted not in ours:
        _free_port(wanted, LOOPBACK, ours)


def port_number(option: str) -> int | None:
    """The port that ``--port`` asks for; None unless given."""
    from core.errors import UsageError

    wanted = terminal.whole_number(option, "--port")
    if wanted is not None and wanted > 65_535:
        raise UsageError(f"--port needs a number up to 65535, not {wanted}")
    return wanted


def _free_port(wanted: int | None, address: str, ours: Set[int]) -> int:
    """``wanted``, or the first free port. One of ``ours`` is taken: it may not listen yet."""
    from core.engines.processes import is_free
    from core.errors import UsageError

    if not is_free(0, address):  # the system would choose a port
        raise UsageError(
            f"{address} is not an address of this machine",
            "Give one with --address, or 0.0.0.0 for all of them.",
        )
    ports = [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    free = next((port for port in ports if port not in ours and is_free(port, address)), None)
    if free is not None:
        return free
    if wanted is None:
        raise UsageError(f"No port from {FIRST_PORT} up is free", "Choose one with --port.")
    by = " by an admin UI of another target or with other options" if wanted in ours else ""
    raise UsageError(
        f"Port {wanted} is taken{by}", "Choose another port with --port, or leave it out."
    )


def _records() -> Path:
    """The folder of the running servers' records."""
    return command_line().settings.engines_path / "admin-ui"


def _record(port: int, url: str, serves: str) -> None:
    from core.engines.processes import remember
    from core.engines.web_servers import WebServer, record

    record(_records(), WebServer(remember(os.getpid()), port, url, serves))


def _kept_record() -> int:
    """A file that only this process and the server have, with what the task has answered so far.

    The server completes it and prints it once it listens. It may hold the text of messages, so it
    is no option, which every user of the machine could see.
    """
    file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - the server reads it
    json.dump(answer().record, file, default=str)
    file.seek(0)
    descriptor = os.dup(file.fileno())
    os.set_inheritable(descriptor, True)
    return descriptor


def _tell_running(server: WebServer, browser: bool) -> None:
    pid = server.process.pid
    line = f"The admin UI already runs at {server.url} (to end it: kill {pid})"
    terminal.print_line(line, url=server.url, port=server.port, pid=pid)
    if browser and has_desktop():
        import webbrowser

        webbrowser.open(server.url)


def has_desktop() -> bool:
    """Whether a browser can open in front of the person who types."""
    from core.settings import variables

    known = variables()
    if not sys.stdout.isatty() or "SSH_CONNECTION" in known:
        return False
    screen = known.get("DISPLAY") or known.get("WAYLAND_DISPLAY")
    return sys.platform == "darwin" or bool(screen)


def local_home(settings: Settings, port: int) -> str:
    """Where people open a UI of this machine or workspace. A login returns to no other address."""
    return _forwarded(settings, port) or f"http://localhost:{port}"


def _forwarded(settings: Settings, port: int) -> str:
    """The address at which a workspace forwards the port; empty elsewhere."""
    if settings.gitpod_url:
        return f"https://{port}-{settings.gitpod_url.split('://')[-1].rstrip('/')}"
    if settings.codespace_name:
        return f"https://{settings.codespace_name}-{port}.{settings.codespaces_domain}"
    return ""
