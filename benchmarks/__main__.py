"""The project and its peers, measured in one run: `invoke bench`.

Every figure is a median over interleaved runs (here, peer, here, peer, …), so that a machine that
is busy for a while slows both. What counts is the ratio.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from browser import bench_browser
from bulk import bench_bulk
from commands import bench_commands
from install import bench_install
from report import REPORT
from store import bench_store
from users import bench_users

from core import engines
from core.engines import Endpoints

Section = Callable[[Path, Endpoints, argparse.Namespace], None]

SECTIONS: dict[str, Section] = {
    "install": lambda scratch, endpoints, arguments: bench_install(),
    "commands": lambda scratch, endpoints, arguments: bench_commands(
        scratch, endpoints.aws_endpoint_url, arguments.aws
    ),
    "store": lambda scratch, endpoints, arguments: bench_store(endpoints.aws_endpoint_url),
    "bulk": lambda scratch, endpoints, arguments: bench_bulk(
        scratch, endpoints.postgres_url, quick=arguments.quick
    ),
    "users": lambda scratch, endpoints, arguments: bench_users(
        scratch, endpoints.postgres_url, quick=arguments.quick
    ),
    "browser": lambda scratch, endpoints, arguments: bench_browser(
        scratch, endpoints.postgres_url, arguments.messages
    ),
}


def main() -> None:
    arguments = _parser().parse_args()
    REPORT.as_json = arguments.json
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    print(machine, file=sys.stderr if arguments.json else sys.stdout)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "engines"
        try:
            engines.start(folder)
            for name in _chosen(arguments):
                SECTIONS[name](Path(scratch), engines.endpoints(folder), arguments)
        finally:
            engines.stop(folder)
    REPORT.end()


def _chosen(arguments: argparse.Namespace) -> list[str]:
    if arguments.only:
        return [arguments.only]
    # A browser and a large store take minutes.
    return [name for name in SECTIONS if name != "browser" or not arguments.quick]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Ratios beside peers.")
    parser.add_argument("--aws", default="", help="the aws command of awscli 1")
    parser.add_argument("--messages", type=int, default=100_000, help="in the large store")
    parser.add_argument("--only", choices=SECTIONS, help="one section")
    parser.add_argument("--quick", action="store_true", help="smaller stores, and no browser")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    return parser


main()
