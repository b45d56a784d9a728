"""The project and its peers, measured in one run: `invoke bench`.

Every figure is a median over interleaved runs (here, peer, here, peer, …), so that a machine that
is busy for a while slows both. What counts is the ratio.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

from browser import bench_browser
from commands import bench_commands
from install import bench_install
from store import bench_store

from core import engines


def main() -> None:
    arguments = _parser().parse_args()
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    bench_install()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "engines"
        try:
            engines.start(folder)
            endpoints = engines.endpoints(folder)
            bench_commands(Path(scratch), endpoints.aws_endpoint_url, arguments.aws)
            bench_store(endpoints.aws_endpoint_url)
            bench_browser(Path(scratch), endpoints.postgres_url, arguments.messages)
        finally:
            engines.stop(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Ratios beside peers.")
    parser.add_argument("--aws", default="aws", help="the aws command of awscli 1")
    parser.add_argument("--messages", type=int, default=100_000, help="in the large store")
    return parser


main()
