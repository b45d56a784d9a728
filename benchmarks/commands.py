"""The command line, compared with an empty task file, one boto3 call, and awscli."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from peers import install_peers
from report import compared, in_turn, print_rows

from core.settings import PROJECT_ROOT

RUNS = 15
INVOKE = (sys.executable, "-m", "invoke")

ONE_CALL = """
from invoke import task

@task
def list_tables(ctx):
    import boto3
    client = boto3.client("dynamodb", endpoint_url={endpoint!r}, region_name="us-east-1")
    for name in client.list_tables()["TableNames"]:
        print(name)
"""


def bench_commands(scratch: Path, endpoint: str, aws: str) -> None:
    run = functools.partial(_run, environment(scratch, endpoint))
    _bench_list(scratch, run)
    _bench_list_tables(scratch, endpoint, aws, run)


def _bench_list(scratch: Path, run: Callable[..., None]) -> None:
    empty = _tasks(scratch / "empty", "")
    here, peer = in_turn(
        2 * RUNS,  # the difference is a few milliseconds
        lambda: run(PROJECT_ROOT, *INVOKE, "--list"),
        lambda: run(empty, *INVOKE, "--list", code=1),  # there is nothing to list, it says
    )
    print_rows(
        "invoke --list",
        compared("beside an empty tasks.py", "ms", here.elapsed, peer.elapsed, 1.05),
    )


def _bench_list_tables(scratch: Path, endpoint: str, aws: str, run: Callable[..., None]) -> None:
    one_call = _tasks(scratch / "one-call", ONE_CALL.format(endpoint=endpoint))
    sides = [
        lambda: run(PROJECT_ROOT, *INVOKE, "ddb.list-tables"),
        lambda: run(one_call, *INVOKE, "list-tables"),
    ]
    aws = aws or install_peers().aws
    missing = _why_not_awscli_1(aws)
    if not missing:
        awscli = [aws, "dynamodb", "list-tables", "--endpoint-url", endpoint]
        sides.append(lambda: run(scratch, *awscli))
    here, *others = in_turn(RUNS, *sides)
    peers = (("a task that is one boto3 call", 1.15), ("awscli 1", 0.8))
    print_rows(
        "invoke ddb.list-tables",
        *(
            compared(f"beside {name}", "ms", here.elapsed, side.elapsed, target)
            for (name, target), side in zip(peers, others, strict=False)
        ),
        note=missing,
    )


def environment(scratch: Path, endpoint: str) -> dict[str, str]:
    """What a command needs and no more; bytecode is cached, as it is for a person."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def _tasks(folder: Path, content: str) -> Path:
    folder.mkdir()
    (folder / "tasks.py").write_text(content)
    return folder


def _run(environment: dict[str, str], folder: Path, *command: str, code: int = 0) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"{' '.join(command)} failed: {done.stderr or done.stdout}")


def _why_not_awscli_1(aws: str) -> str:
    """Why ``aws`` cannot be measured; empty if it can."""
    if not aws or shutil.which(aws) is None:
        return "beside awscli 1: not installed; name it with --aws PATH"
    done = subprocess.run([aws, "--version"], capture_output=True, text=True)
    version = (done.stdout or done.stderr).split(" ")[0].strip()
    return "" if version.startswith("aws-cli/1.") else f"beside awscli 1: {aws} is {version}"
