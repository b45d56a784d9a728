"""Runs commands as a shell would, without loading the libraries anew for each.

A command takes half a second of a processor to start, nearly all of it for imports. So a server,
one for each test run, imports them once, and forks a process for each command. The process becomes
the command: its own arguments, environment, streams and signals, its own end. What the interpreter
reads from the environment before it runs anything (``PYTHON…``, the locale) the server cannot give
it: a command with such a variable starts as an interpreter of its own. Nor does it take its modules
apart at its end, which takes a forked process longer than most commands.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).with_name("typed_client.py")
_LIMIT_S = 60
_READ_BY_THE_INTERPRETER = ("PYTHON", "LC_", "LANGUAGE")
_UNBUFFERED, _ENCODING = "PYTHONUNBUFFERED", "PYTHONIOENCODING"


def needs_an_interpreter(env: Mapping[str, str]) -> bool:
    """Whether ``env`` has a variable that Python reads at its start."""
    return any(
        name.startswith(_READ_BY_THE_INTERPRETER) for name in env.keys() - {_UNBUFFERED, _ENCODING}
    )


class Commands:
    """The server, and the commands that it starts. Several threads may run commands at once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(other.fileno())],
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                pass_fds=[other.fileno()],
            )

    def fileno(self) -> int:
        """The socket that ``typed_client.py`` needs."""
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()
        self._server.wait(timeout=_LIMIT_S)

    def run(
        self, args: tuple[str, ...], env: Mapping[str, str], stdin: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``invoke`` with these arguments; ``env`` is all of its environment."""
        with (
            _piped(stdin.encode()) as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            code = self.run_on([given, out.fileno(), err.fileno()], args, env)
            out.seek(0)
            err.seek(0)
            texts = [file.read().decode().replace("\r\n", "\n") for file in (out, err)]
        return subprocess.CompletedProcess(["invoke", *args], code, *texts)

    def run_on(self, streams: list[int], args: tuple[str, ...], env: Mapping[str, str]) -> int:
        """Run ``invoke`` on these standard streams; its exit code."""
        report, end = os.pipe()
        with os.fdopen(report, "rb", buffering=0) as reports:
            request = json.dumps({"args": args, "env": dict(env), "cwd": self._folder}).encode()
            try:
                socket.send_fds(self._socket, [request], [*streams, end])
            finally:
                os.close(end)
            pid = int(_next_line(reports, args))
            try:
                return int(_next_line(reports, args))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise


@contextlib.contextmanager
def _piped(text: bytes) -> Iterator[int]:
    """A pipe to read ``text`` from, which may be longer than a pipe holds."""
    end, start = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(start, "wb") as pipe:
            pipe.write(text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield end
    finally:
        os.close(end)
        writer.join()


def _next_line(reports: io.RawIOBase | io.FileIO, args: tuple[str, ...]) -> bytes:
    line = b""
    until = time.monotonic() + _LIMIT_S
    while not line.endswith(b"\n"):
        if not select.select([reports], [], [], max(0, until - time.monotonic()))[0]:
            raise subprocess.TimeoutExpired(["invoke", *args], _LIMIT_S)
        byte = reports.read(1)
        assert byte, f"the server ended at {args}"
        line += byte
    return line


# The server


def _load() -> None:
    """Import what commands use. What a command must not import at its start, others test."""
    import boto3  # noqa: F401
    import invoke.program  # noqa: F401
    import rich.console
    import rich.table  # noqa: F401
    from botocore import loaders, session
    from botocore.exceptions import EndpointConnectionError

    import core
    import task_groups
    from core.aws.clients import make_client
    from core.targets import AwsTarget

    for package in (core, task_groups):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    # Other sessions, which depend on the environment, share what the first one reads of AWS.
    loader = loaders.create_loader()
    session.create_loader = lambda *_: loader
    # The session of local targets keeps what a client needs, and reads nothing of an environment.
    local = AwsTarget("http://127.0.0.1:1", "us-east-1", True, is_local=True)
    for service in ("sts", "dynamodbstreams", "cognito-idp", "lambda"):
        make_client(local, service).close()
    client = make_client(local, "dynamodb", quick=True)
    with contextlib.suppress(EndpointConnectionError):
        client.list_tables()  # imports what is imported for a request
    client.close()
    gc.collect()
    gc.freeze()


def _wait_for_a_command(server: socket.socket) -> None:
    """Serve requests. Returns in the process of each command, ready to run it."""
    ends, end = os.pipe()  # has something to read once a command has ended
    os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(end)
    reports: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([server, ends], [], [])
        if ends in ready:
            os.read(ends, 1 << 10)
            _report_ended(reports)
        if server not in ready:
            continue
        request, streams, _, _ = socket.recv_fds(server, 1 << 20, 4)
        if not request:
            os._exit(0)
        if pid := os.fork():
            *others, reports[pid] = streams
            for stream in others:
                os.close(stream)
            _tell(reports[pid], pid)
        else:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            server.close()
            for stream in (ends, end, *reports.values()):
                os.close(stream)
            return _become(json.loads(request), streams)


def _report_ended(reports: dict[int, int]) -> None:
    for pid, report in list(reports.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            _tell(report, os.waitstatus_to_exitcode(status))
            os.close(reports.pop(pid))


def _tell(report: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(report, f"{number}\n".encode())


def _become(command: dict[str, Any], streams: list[int]) -> None:
    for target, stream in enumerate(streams[:3]):
        os.dup2(stream, target)
    for stream in streams:
        os.close(stream)
    os.environ.clear()
    os.environ.update(command["env"])
    time.tzset()
    os.chdir(command["cwd"])
    sys.argv = ["invoke", *command["args"]]
    sys.path[0] = command["cwd"]  # as ``python -m`` has it
    _reopen("stdout", bool(command["env"].get(_UNBUFFERED)))
    _reopen("stderr", bool(command["env"].get(_UNBUFFERED)))
    if encoding := command["env"].get(_ENCODING):
        for stream in (sys.stdin, sys.stdout):
            stream.reconfigure(encoding=encoding, errors="strict")  # type: ignore[union-attr]
        sys.stderr.reconfigure(encoding=encoding)  # type: ignore[union-attr]


def _reopen(name: str, unbuffered: bool) -> None:
    """The stream as it is opened at an interpreter's start: it may be a pipe, or a file."""
    old = getattr(sys, f"__{name}__")
    file = open(old.fileno(), "wb", buffering=0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    new = io.TextIOWrapper(
        file,
        old.encoding,
        old.errors,
        line_buffering=file.isatty() or name == "stderr",
        write_through=unbuffered,
    )
    setattr(sys, name, new)
    setattr(sys, f"__{name}__", new)


def _run() -> None:
    """Run the command, and end as the interpreter does, up to the last flush."""
    code: object = None
    try:
        runpy.run_module("invoke", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        code = error.code
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if not isinstance(code, int | None):
        sys.exit(code)  # type: ignore[arg-type]
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code or 0)


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())
    _load()
    _wait_for_a_command(socket.socket(fileno=int(sys.argv[1])))
    _run()
