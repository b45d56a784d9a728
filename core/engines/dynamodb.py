"""The embedded DynamoDB (and Cognito, EC2, STS): ministack, in a process of its own.

It keeps its data over a clean stop only. One that ended in another way is noticed at the next
start, and said.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from core.engines import processes
from core.engines.state import Engine
from core.errors import EngineError
from core.private_files import open_private

NAME = "DynamoDB"
UNCLEAN = (
    "was not stopped by `invoke down`: what it was given since the last clean stop may be lost."
    " Run: invoke ddb.schema-load ddb.seed"
)
_SERVICES = "dynamodb,dynamodbstreams,cognito-idp,ec2,sts"
_START_TIMEOUT_S = 30
# A proxy in the environment must never see a call to this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start(folder: Path, engine: Engine, keep: Callable[[], None]) -> str:
    """Start ministack unless it runs; a note where the last run did not end in order.

    Its process is noted in ``engine``, and ``keep`` is called at once: who starts it may be killed
    while it waits, and it runs on.
    """
    if processes.alive(engine.process) is not None:
        processes.wait_until(lambda: answers(engine.port), _START_TIMEOUT_S)  # it may be starting
        return ""
    note = UNCLEAN if engine.process is not None else ""
    if find_spec("ministack") is None:
        raise EngineError(
            "the embedded DynamoDB is not installed", "Run: pip install -r requirements.txt"
        )
    processes.require_free(engine.port, NAME, folder)
    data, log = folder / "dynamodb", folder / "dynamodb.log"
    # The folder around them may have been there before, open to others.
    data.mkdir(mode=0o700, exist_ok=True)
    data.chmod(0o700)
    (data / "tmp").mkdir(exist_ok=True)
    with open_private(log) as output:
        output.truncate(0)
        child = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=data,
            env=_environment(engine.port, data),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C and a closed terminal are not for it
        )
    engine.process = processes.remember(child.pid)
    keep()
    answered = processes.wait_until(
        lambda: child.poll() is not None or answers(engine.port), _START_TIMEOUT_S
    )
    if not answered or child.poll() is not None:
        child.kill()
        child.wait()
        engine.process = None
        raise EngineError(f"DynamoDB does not start: {processes.last_line(log)}", f"See {log}")
    child.returncode = 0  # it outlives this process, which is no reason for a ResourceWarning
    return note


def _environment(port: int, data: Path) -> dict[str, str]:
    """Only what it needs: none of the caller's AWS variables, proxies or Docker."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(data),
        "TMPDIR": str(data / "tmp"),
        "DOCKER_HOST": f"unix://{data / 'no-docker'}",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "SERVICES": _SERVICES,
        # Services apart from these listen on every interface, whatever BIND_HOST says.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def stop(engine: Engine) -> bool:
    """Stop ministack, which saves its data as it ends; False if it did not run."""
    found = processes.alive(engine.process)
    if found is None:
        return False
    processes.end(found, signal.SIGTERM, NAME)
    engine.process = None
    return True


def answers(port: int) -> bool:
    """Whether ministack answers on ``port``."""
    try:
        with _direct.open(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as reply:
            return "dynamodb" in json.load(reply)["services"]
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return False
