"""What an import reads: our own export, a scan's output, AWS's export to S3."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from pathlib import Path

import pytest

from core.dynamodb.transfer.sources import is_marker, read_items
from core.errors import InputError

ITEMS = [
    {"pk": {"S": f"MSG#g{n}"}, "sk": {"S": "2026-01-01"}, "blob": {"B": "AAE="}} for n in range(3)
]
MARKER = {"pk": {"S": "ENV#"}, "sk": {"S": "ENV"}, "environment": {"S": "production"}}


def keys_of(path: Path) -> list[str]:
    return [item["pk"]["S"] for _, item in read_items(path) if not is_marker(item)]


def lines(items: list, wrapped: bool = True) -> bytes:
    return b"".join(
        json.dumps({"Item": item} if wrapped else item).encode() + b"\n" for item in items
    )


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def export(folder: Path, parts: list[list], **summary: object) -> Path:
    """An export to S3 as AWS lays it out, downloaded with its prefix."""
    home = folder / "AWSDynamoDB" / "01700000000000-abcdef01"
    (home / "data").mkdir(parents=True)
    manifest = b""
    for n, part in enumerate(parts):
        content = gzip.compress(lines(part))
        (home / "data" / f"{n}.json.gz").write_bytes(content)
        entry = {
            "itemCount": len(part),
            "md5Checksum": md5(content),
            "dataFileS3Key": f"AWSDynamoDB/01700000000000-abcdef01/data/{n}.json.gz",
        }
        manifest += json.dumps(entry).encode() + b"\n"
    total = {"itemCount": sum(map(len, parts)), "outputFormat": "DYNAMODB_JSON"}
    about = json.dumps(total | summary).encode()
    for name, content in (("manifest-files", manifest), ("manifest-summary", about)):
        (home / f"{name}.json").write_bytes(content)
        (home / f"{name}.md5").write_text(md5(content))
    return home


WHOLE = {"Items": ITEMS, "Count": 3, "ScannedCount": 3, "ConsumedCapacity": None}


@pytest.mark.parametrize(
    "content",
    [
        lines(ITEMS, wrapped=False),
        lines([MARKER, *ITEMS]),
        gzip.compress(lines(ITEMS)),
        json.dumps(WHOLE).encode(),
        json.dumps(WHOLE, indent=4).encode(),
        gzip.compress(json.dumps(WHOLE, indent=4).encode()),
        json.dumps(ITEMS, indent=2).encode(),
    ],
    ids=["ours", "data file", "compressed", "scan", "scan, indented", "scan, compressed", "list"],
)
def test_each_form_has_the_same_items(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "items").write_bytes(content)
    assert keys_of(tmp_path / "items") == ["MSG#g0", "MSG#g1", "MSG#g2"]
    items = [item for _, item in read_items(tmp_path / "items") if not is_marker(item)]
    assert items[0]["blob"] == {"B": b"\x00\x01"}


@pytest.mark.parametrize("name", ["", "AWSDynamoDB/*", "AWSDynamoDB/*/manifest-summary.json"])
def test_an_export_is_read_by_its_folder_or_a_manifest(tmp_path: Path, name: str) -> None:
    export(tmp_path, [ITEMS[:2], [], ITEMS[2:]])
    (path,) = tmp_path.glob(name) if name else [tmp_path]
    assert keys_of(path) == ["MSG#g0", "MSG#g1", "MSG#g2"]
    assert [place for place, _ in read_items(path)][-1] == "data/2.json.gz, line 1"


def test_the_marker_of_an_export_counts_and_is_left_out(tmp_path: Path) -> None:
    assert keys_of(export(tmp_path, [[MARKER], ITEMS])) == ["MSG#g0", "MSG#g1", "MSG#g2"]


def damage_data(home: Path) -> None:
    (home / "data" / "0.json.gz").write_bytes(gzip.compress(lines(ITEMS[:1])))


def damage_manifest(home: Path) -> None:
    with (home / "manifest-files.json").open("ab") as file:
        file.write(b"\n")


def damage_summary(home: Path) -> None:
    (home / "manifest-summary.json").write_text('{"itemCount": 3} ')


def lose_data(home: Path) -> None:
    (home / "data" / "1.json.gz").unlink()


def lie_about_a_file(home: Path) -> None:
    text = (home / "manifest-files.json").read_text().replace('"itemCount": 2', '"itemCount": 5')
    (home / "manifest-files.json").write_text(text)
    (home / "manifest-files.md5").unlink()


def lie_about_the_sum(home: Path) -> None:
    (home / "manifest-summary.json").write_text('{"itemCount": 4}')
    (home / "manifest-summary.md5").unlink()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (damage_data, r"0\.json\.gz is damaged: its MD5"),
        (damage_manifest, r"manifest-files\.json is damaged: its MD5"),
        (damage_summary, r"manifest-summary\.json is damaged: its MD5"),
        (lose_data, r"1\.json\.gz: No such file"),
        (lie_about_a_file, "should have 5 items, but 2 were read"),
        (lie_about_the_sum, "should have 4 items, but 3 were read"),
    ],
)
def test_an_export_that_is_not_complete_is_refused(tmp_path: Path, spoil, problem: str) -> None:
    home = export(tmp_path, [ITEMS[:2], ITEMS[2:]])
    spoil(home)
    with pytest.raises(InputError, match=problem):
        keys_of(home)


@pytest.mark.parametrize(
    "summary", [{"outputFormat": "ION"}, {"exportType": "INCREMENTAL_EXPORT"}], ids=str
)
def test_an_export_in_another_form_is_refused(tmp_path: Path, summary: dict) -> None:
    with pytest.raises(InputError, match="an export in another form"):
        keys_of(export(tmp_path, [ITEMS], **summary))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (WHOLE | {"NextToken": "x"}, "only a part of the items"),
        (WHOLE | {"LastEvaluatedKey": {"pk": {"S": "x"}}}, "only a part of the items"),
        (WHOLE | {"Count": 4}, "has 3 items, but its Count is 4"),
        ({"Items": [*ITEMS, {"pk": {"S": "x"}}]}, "item 4: This is not a message table item"),
        ({"Items": "x"}, "This is not a message table item"),
        ({"Keys": {"pk": {"S": "x"}}, "NewImage": ITEMS[0]}, "an incremental export"),
        ({"Item": "x"}, "line 1: This is not a message table item"),
    ],
)
def test_a_document_that_is_not_whole_is_refused(tmp_path: Path, document, problem) -> None:
    (tmp_path / "items").write_text(json.dumps(document))
    with pytest.raises(InputError, match=problem):
        keys_of(tmp_path / "items")


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "items.gz").write_bytes(gzip.compress(lines(ITEMS * 100))[:-20])
    (tmp_path / "items.json").write_text(json.dumps(WHOLE, indent=4)[:-20])
    for name in ("items.gz", "items.json"):
        with pytest.raises(InputError, match=r"cut off or damaged|not a JSON document"):
            keys_of(tmp_path / name)


def test_a_folder_without_an_export_or_with_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no export to S3"):
        keys_of(tmp_path)
    for name in ("a", "b"):
        export(tmp_path / name, [ITEMS])
        (tmp_path / name / "AWSDynamoDB" / "01700000000000-abcdef01").rename(tmp_path / f"{name}x")
    with pytest.raises(InputError, match="holds several exports to S3"):
        keys_of(tmp_path)
