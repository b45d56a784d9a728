"""PgBouncer as Debian packages it, in front of a Postgres: a pool of three."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlsplit

import ports
import pytest

from core.engines import processes

_CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = {ignored}
default_pool_size = 3
server_login_retry = 1
unix_socket_dir =
logfile = {folder}/log
"""


@contextmanager
def pooling(url: str, *, mode: str = "transaction", ignored: str = "extra_float_digits"):
    """The same database's URL through a pooler, which runs during the block."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.fail("pgbouncer is not installed: apt install pgbouncer")
    server, listen_port = urlsplit(url), ports.free_port()
    with TemporaryDirectory() as folder:
        configuration = Path(folder) / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(
                host=server.hostname,
                port=server.port,
                user=server.username,
                password=server.password,
                listen_port=listen_port,
                mode=mode,
                ignored=ignored,
                folder=folder,
            )
        )
        as_user = []
        if os.geteuid() == 0:  # it refuses to run as root
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
            as_user = ["-u", "nobody"]
        with subprocess.Popen([program, "-q", *as_user, str(configuration)]) as pooler:
            try:
                assert processes.wait_until(lambda: not processes.is_free(listen_port), 10)
                place = f"{quote(server.username or '')}@127.0.0.1:{listen_port}"
                yield server._replace(netloc=place).geturl()
            finally:
                pooler.terminate()
