"""The audit: each use of production is written to two places first, or nothing is done."""

from __future__ import annotations

import fcntl
import io
import json
import os
import subprocess
import sys
import threading
import uuid
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from core.access.audit import Actor, AuditEntry, AuditLog, read_audit, timestamp
from core.errors import AuditError
from core.settings import PROJECT_ROOT

NOON = "2026-03-01T12:00:00.000000+00:00"
ANA, BEN, CLEO = (str(uuid.UUID(int=number)) for number in (1, 2, 3))


def entry(**fields: object) -> AuditEntry:
    known = {
        "at": NOON,
        "actor": {"user": "op", "uid": 7},
        "target": "production",
        "stores": {"dynamodb": "DynamoDB table messages at AWS"},
        "what": "ddb.scan",
        "purpose": "reading",
    }
    return AuditEntry(**{**known, **fields})  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deeper" / "audit.jsonl"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


class TestTheFile:
    @pytest.mark.parametrize("mask", [0, 0o022, 0o077])
    def test_only_its_owner_can_read_it(self, path: Path, mask: int) -> None:
        before = os.umask(mask)
        try:
            AuditLog(path).write(entry())
        finally:
            os.umask(before)
        assert mode(path) == 0o600

    @pytest.mark.parametrize("old", [0o644, 0o666, 0o640, 0o604])
    def test_becomes_readable_by_its_owner_only(self, path, old) -> None:
        path.parent.mkdir()
        path.write_text("")
        path.chmod(old)
        AuditLog(path).write(entry())
        assert mode(path) == 0o600

    def test_is_only_added_to(self, path: Path) -> None:
        log = AuditLog(path)
        log.write(entry(what="one"))
        old_bytes = path.read_bytes()
        inode = path.stat().st_ino
        log.write(entry(what="two"))
        assert path.read_bytes().startswith(old_bytes)
        assert path.stat().st_ino == inode
        assert [line.what for line in read_audit(path)] == ["one", "two"]

    def test_keeps_every_line_of_writers_that_write_at_once(self, path: Path) -> None:
        log = AuditLog(path)
        threads = [
            threading.Thread(
                target=lambda n=n: [
                    log.write(entry(why=f"{n} {i} " + "x" * 900)) for i in range(20)
                ]
            )
            for n in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        reasons = {line.why[:4] for line in read_audit(path)}
        assert reasons == {f"{n} {i} "[:4] for n in range(5) for i in range(20)}
        assert len(path.read_text().splitlines()) == 100

    def test_a_line_that_is_being_written_does_not_count_as_incomplete(self, path: Path) -> None:
        log = AuditLog(path)
        log.write(entry(what="one"))
        with path.open("ab", buffering=0) as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            first, rest = path.read_bytes()[:9], path.read_bytes()[9:]
            other.write(first)
            thread = threading.Thread(target=log.write, args=(entry(what="two"),))
            thread.start()
            thread.join(timeout=0.05)
            other.write(rest)
        thread.join()
        assert [line.what for line in read_audit(path)] == ["one", "one", "two"]

    def test_has_a_line_of_ascii_whatever_the_reason_is(self, path: Path) -> None:
        why = "Größe\u2028\x1b[2J\u202e\ud800"
        AuditLog(path).write(entry(why=why))
        assert path.read_bytes().isascii()
        assert path.read_bytes().count(b"\n") == 1
        (line,) = read_audit(path)
        assert line.why == why

    def test_leaves_out_what_is_empty(self, path: Path) -> None:
        AuditLog(path).write(entry())
        assert set(json.loads(path.read_text())) == {
            "at",
            "actor",
            "target",
            "stores",
            "what",
            "purpose",
        }


class TestBothPlaces:
    def test_hold_the_same_line(self, path: Path, capfd) -> None:
        AuditLog(path).write(entry(why="a ticket"))
        assert capfd.readouterr().err == f"audit {path.read_text()}"

    def test_hold_it_where_standard_error_is_in_memory(self, path: Path, monkeypatch) -> None:
        memory = io.StringIO()
        monkeypatch.setattr(sys, "stderr", memory)
        AuditLog(path).write(entry())
        assert memory.getvalue() == f"audit {path.read_text()}"


class TestNothingIsDone:
    def test_where_the_disk_of_the_file_is_full(self) -> None:
        full = Path("/dev/full")
        before = full.stat().st_mode
        with pytest.raises(AuditError, match=r"/dev/full.*No space left"):
            AuditLog(full).write(entry())
        assert full.stat().st_mode == before  # every other user's programs write to it, too

    def test_where_the_file_is_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(AuditError, match="directory"):
            AuditLog(tmp_path).write(entry())

    def test_where_its_folder_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(AuditError, match="CRUDDUR_AUDIT_LOG"):
            AuditLog(tmp_path / "file" / "audit.jsonl").write(entry())

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
    def test_where_its_folder_is_read_only(self) -> None:
        with pytest.raises(AuditError, match="Could not write the audit line"):
            AuditLog(Path("/proc/self/audit.jsonl")).write(entry())

    @pytest.mark.parametrize("stream", [None, "closed", os.devnull, "/dev/full"])
    def test_where_standard_error_is_lost_and_the_file_is_not_written_either(
        self, path: Path, monkeypatch, stream
    ) -> None:
        broken = None
        if stream == "closed":
            broken = io.StringIO()
            broken.close()
        elif stream is not None:
            broken = Path(stream).open("w")  # noqa: SIM115
        monkeypatch.setattr(sys, "stderr", broken)
        with pytest.raises(AuditError, match="Could not write the audit line to standard error"):
            AuditLog(path).write(entry())
        monkeypatch.undo()
        assert not path.exists()
        if broken is not None and not broken.closed:
            broken.close()

    @pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
    def test_where_a_process_has_no_standard_error(self, path: Path, redirection: str) -> None:
        code = (
            "from pathlib import Path; from core.access.audit import *; from core.errors import *\n"
            "try:\n"
            f"    AuditLog(Path('{path}')).write(AuditEntry('', {{}}, '', {{}}, '', ''))\n"
            "except AuditError as error:\n"
            "    print(error)\n"
        )
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" -c "$1" {redirection}', sys.executable, code],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "Could not write the audit line to standard error" in done.stdout
        assert not path.exists()


class TestReading:
    @pytest.fixture
    def audit(self, path: Path) -> Path:
        log = AuditLog(path)
        log.write(entry(what="a", about=(ANA, BEN)))
        log.write(
            entry(what="b", at="2026-03-02T00:00:00.000000+00:00", actor={"email": "m@x.org"})
        )
        log.write(entry(what="c", at="2026-02-28T23:59:59.999999+00:00", target="local"))
        log.write(entry(what="d", stores={"postgres": "cruddur at db.example.com:5432"}))
        log.write(
            entry(what="e", outcome="failed: StoreError", actor={"arn": "arn:aws:iam::1:u/m"})
        )
        return path

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, "abcde"),
            ({"actor": "op"}, "acd"),
            ({"actor": "m@x"}, "b"),
            ({"actor": "arn:aws"}, "e"),
            ({"actor": "nobody"}, ""),
            ({"about": BEN}, "a"),
            ({"about": CLEO}, ""),
            ({"target": "local"}, "c"),
            ({"target": "production"}, "abde"),
            ({"target": "db.example.com"}, "d"),
            ({"target": "messages"}, "abce"),
            ({"day": date(2026, 3, 1)}, "ade"),
            ({"day": date(2026, 3, 2)}, "b"),
            ({"day": date(2026, 2, 28)}, "c"),
            ({"actor": "op", "day": date(2026, 3, 1), "about": ANA}, "a"),
        ],
    )
    def test_can_be_filtered_by_actor_subject_target_and_time(
        self, audit, filters, expected
    ) -> None:
        assert "".join(line.what for line in read_audit(audit, **filters)) == expected

    def test_gives_back_what_was_written(self, path: Path) -> None:
        written = entry(about=("u1",), conversation="g", why="w", outcome="failed: X")
        AuditLog(path).write(written)
        assert list(read_audit(path)) == [written]

    def test_without_a_file_is_empty(self, path: Path) -> None:
        assert list(read_audit(path)) == []

    @pytest.mark.parametrize(
        "damaged",
        [
            b"{",
            b"",
            b"null",
            b"[]",
            b"7",
            b'"text"',
            b"{}",
            b'{"at": "x"}',
            json.dumps(asdict(entry()) | {"more": 1}).encode(),
            b'{"at": 1, "actor": [], "target": 1, "stores": 7, "what": 1, "purpose": 1}',
            b"[" * 5000,
            b"\xff\xfe",
        ],
    )
    def test_names_the_number_of_a_damaged_line(self, audit: Path, damaged: bytes) -> None:
        with audit.open("ab") as file:
            file.write(damaged + b"\n")
        with pytest.raises(AuditError, match=r"audit\.jsonl, line 6: .*not an audit line"):
            list(read_audit(audit, actor="op", target="messages", day=date(2026, 3, 1)))

    def test_shows_the_lines_before_a_damaged_one(self, audit: Path) -> None:
        audit.write_text(audit.read_text() + "{\n")
        lines = read_audit(audit)
        assert [next(lines).what for _ in range(5)] == list("abcde")

    def test_says_so_where_the_file_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(AuditError, match="Could not read"):
            list(read_audit(tmp_path))


def test_an_actor_is_described_by_what_is_known() -> None:
    assert Actor(uid=0, host="h").described() == {"uid": 0, "host": "h"}


def test_a_time_is_utc_with_microseconds() -> None:
    assert timestamp().endswith("+00:00")
    assert len(timestamp()) == len(NOON)


def test_a_line_of_which_only_a_part_is_written_is_removed(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.write(entry(what="one"))
    write = os.write
    with monkeypatch.context() as disk:
        disk.setattr(sys, "stderr", io.StringIO())
        disk.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:9]))
        with pytest.raises(AuditError, match="only a part"):
            log.write(entry(what="two"))
    log.write(entry(what="three"))
    assert [line.what for line in read_audit(path)] == ["one", "three"]


def test_a_line_after_an_incomplete_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"at": "2026')  # the disk was full
    AuditLog(path).write(entry())
    assert path.read_text().count("\n") == 2
    with pytest.raises(AuditError, match="line 1"):
        list(read_audit(path))
