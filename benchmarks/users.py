"""Many users: found as a person types, and loaded from a file beside psql."""

from __future__ import annotations

import statistics
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from report import Row, compared, in_turn, print_rows

from core.engines import psql_path
from core.postgres import admin
from core.postgres.database import Database
from core.postgres.user_files import import_users
from core.postgres.users import search_people
from core.purposes import Purpose
from core.targets.postgres import parse_url

RUNS = 5
FILL = (
    "INSERT INTO public.users (handle, display_name, email)"
    " SELECT 'user' || n, 'User Number ' || n, 'user' || n || '@example.com'"
    " FROM generate_series(1, %(count)s) AS n"
)


def bench_users(scratch: Path, postgres_url: str, *, quick: bool) -> None:
    url = urlsplit(postgres_url)._replace(path="/many-users").geturl()
    with Database(parse_url(url, "CONNECTION_URL"), Purpose.DESTROYING) as db:
        admin.create_database(db)
        _bench_import(db, url, scratch / "users.csv", 20_000 if quick else 200_000)
        _bench_search(db, 100_000 if quick else 1_000_000)


def _bench_import(db: Database, url: str, path: Path, count: int) -> None:
    lines = (f"user{n},User Number {n},user{n}@example.com\n" for n in range(count))
    path.write_text("handle,display_name,email\n" + "".join(lines))
    copy = (
        f"\\copy public.users (handle, display_name, email) from '{path}' with (format csv, header)"
    )
    command = [str(psql_path()), url, "-qc", copy]

    def empty() -> None:
        db.query_commit("TRUNCATE public.users")

    admin.load_schema(db, "local")
    here, peer = in_turn(
        RUNS,
        lambda: (
            empty(),
            import_users(db, path, lambda count, total: None, lambda: lambda _: False),
        ),
        lambda: (empty(), subprocess.run(command, check=True)),
    )
    print_rows(
        f"{count:,} users imported from CSV, beside psql's copy, which checks no line",
        compared("time", "ms", here.elapsed, peer.elapsed, target=1 / 0.9),
    )


def _bench_search(db: Database, count: int) -> None:
    admin.load_schema(db, "local")
    db.query_commit(FILL, {"count": count})
    db.query_commit("ANALYZE public.users")
    handle = f"user{count // 2}"
    print_rows(
        f"A search as a person types, among {count:,} users, beside what nobody notices",
        Row("a handle", "ms", _search_ms(db, handle), 20, target=1),
        Row("the beginning of a handle", "ms", _search_ms(db, handle[:6]), 20, target=1),
        Row("a text that nobody has", "ms", _search_ms(db, "no such text"), 300, target=1),
    )


def _search_ms(db: Database, text: str) -> float:
    times_ms = []
    for _ in range(RUNS):
        began = time.perf_counter()
        search_people(db, text, limit=8)
        times_ms.append((time.perf_counter() - began) * 1000)
    return statistics.median(times_ms)
