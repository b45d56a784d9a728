"""The stream function as it is deployed: the template, and the zip in a separate interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
import zipfile
from contextlib import closing
from pathlib import Path

import boto3
import pytest
from aws_template import TEMPLATE
from botocore.exceptions import ClientError

from core.aws import remove_code, stack_name, upload_code
from core.aws.clients import make_client
from core.aws.lambda_package import HANDLER, build_zip
from core.aws.services import AwsServices
from core.dynamodb.items import message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.stream.shards import open_follower
from core.models import Message
from core.purposes import Purpose
from core.timestamps import now, parse, sort_key


@pytest.fixture
def unpacked(tmp_path) -> Path:
    build_zip(tmp_path / "function.zip")
    with zipfile.ZipFile(tmp_path / "function.zip") as archive:
        archive.extractall(tmp_path / "function")
    return tmp_path / "function"


def test_the_template_is_accepted() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), TEMPLATE], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_template_names_the_handler_of_the_zip() -> None:
    assert f"Handler: {HANDLER}\n" in TEMPLATE.read_text()


def test_the_zip_is_the_same_for_the_same_sources(tmp_path) -> None:
    build_zip(tmp_path / "one.zip")
    build_zip(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_removing_the_code_of_one_table_keeps_that_of_another(aws_target) -> None:
    """The other stack needs it to roll back."""
    services = AwsServices(aws_target, Purpose.WRITING)
    stacks = [stack_name(f"messages-{uuid.uuid4().hex[:8]}{end}") for end in ("", "-2")]
    bucket, first = upload_code(services, stacks[0], None)
    _, second = upload_code(services, stacks[1], None)
    assert upload_code(services, stacks[0], None) == (bucket, first)
    with closing(make_client(aws_target, "s3")) as client:
        remove_code(services, stacks[0])
        client.head_object(Bucket=bucket, Key=second)
        with pytest.raises(ClientError, match="404"):
            client.head_object(Bucket=bucket, Key=first)
    remove_code(services, stacks[1])


def test_the_packaged_handler_loads_with_what_the_runtime_has(unpacked) -> None:
    """The zip has no other package: Lambda's runtime has an SDK, which is not the newest."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3];"
        "import botocore.session; del sys.modules['botocore.exceptions'].LoginError;"
        "sys.modules['orjson'] = None;"
        "import core.dynamodb.stream.handler, core.aws.clients"
    )
    site = str(Path(boto3.__file__).parent.parent)
    subprocess.run([sys.executable, "-I", "-S", "-c", code, unpacked, site], check=True)


MALFORMED = {
    "eventName": "INSERT",
    "dynamodb": {
        "Keys": {"pk": {"S": "MSG#g"}},
        "NewImage": {"message": {"S": "written plainly"}},
        "SequenceNumber": "7",
    },
}


@pytest.mark.parametrize("root_level", ["WARNING", "INFO"], ids=["text logs", "JSON logs"])
def test_the_packaged_handler_moves_rows_for_real_stream_records(
    unpacked, table, engines, ana, ben, tmp_path, root_level
) -> None:
    """It also logs what it did, one line of JSON each, without any message text."""
    first, _ = start(table, Draft(ana, ben, "hi"))
    key = sort_key(now())
    plain = Message(first.message_group_uuid, "m", ben, "written plainly", key, parse(key))
    table.request("put_item", Item=message_item(plain))
    records = [r for batch in open_follower(table, tmp_path).poll() for r in batch.records]
    records.append(MALFORMED)
    # Bare: this interpreter sees the zip and, as in Lambda, boto3; not this project. As there, the
    # root logger has a handler, at the level that the function's log format brings with it.
    code = (
        "import sys, json, logging; sys.path[:0] = sys.argv[1:3];"
        "logging.basicConfig(format='%(name)s %(message)s', level=sys.argv[3]);"
        "from core.dynamodb.stream.handler import handler;"
        "print(json.dumps(handler(json.load(sys.stdin), None)))"
    )
    site = str(Path(boto3.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, unpacked, site, root_level],
        input=json.dumps({"Records": records}, default=str),
        env={
            "DDB_MESSAGE_TABLE": table.name,
            "PROD_AWS_ENDPOINT_URL": engines.aws_endpoint_url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        },
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == '{"batchItemFailures": []}', done.stderr
    for person in (ana, ben):
        (row,) = reads.list_inbox(table, person.uuid, limit=5).entries
        assert row.preview == "written plainly"
    assert "written plainly" not in done.stderr
    dropped, projected = logged(done.stderr)
    assert dropped.pop("reason")
    assert dropped == {"event": "record dropped", "sequence_number": "7"}
    assert projected == {
        "event": "batch projected",
        "records": len(records),
        "conversations": 1,
        "written": 1,
        "failed": 0,
        "dropped": 1,
    }


def logged(stderr: str) -> list[dict[str, object]]:
    """The handler's own log lines, without those of the SDK."""
    logger_name = "cruddur.projection "
    lines = [line for line in stderr.splitlines() if line.startswith(logger_name)]
    return [json.loads(line.removeprefix(logger_name)) for line in lines]
