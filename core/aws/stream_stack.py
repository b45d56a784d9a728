"""The stack of the stream function: its name, its code, its template, its alarms."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from core.aws.errors import translating
from core.aws.identity import caller
from core.aws.lambda_package import build_zip
from core.aws.services import AwsServices
from core.settings import PROJECT_ROOT

TEMPLATE = PROJECT_ROOT / "aws" / "template.yaml"
_LOCAL_CODE = "Code: ../build/stream-function.zip\n"
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of the stack. ``state`` is OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    means: str


def stack_name(table_name: str) -> str:
    """The name of the stack of a table's function."""
    name = "cruddur-ops-" + re.sub(r"[^A-Za-z0-9-]", "-", table_name)
    if len(name) <= _LONGEST_NAME:
        return name
    return name[: _LONGEST_NAME - 9] + "-" + hashlib.sha256(table_name.encode()).hexdigest()[:8]


def upload_code(services: AwsServices, stack: str, file: Path | None) -> tuple[str, str]:
    """The bucket and the key of the zip, which is built and stored first, if it is not there.

    The bucket belongs to the account and is made if it is missing. For one stack the same sources
    have the same key, so a deployment without a change changes nothing. ``file`` is where the zip
    is written.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = file or Path(folder) / "stream-function.zip"
        build_zip(path)
        body = path.read_bytes()
    key = f"{_folder(stack)}{hashlib.sha256(body).hexdigest()[:32]}.zip"
    with _bucket(services) as (client, owned):
        _make_bucket(client, owned)
        if not _has(client.head_object, **owned, Key=key):
            client.put_object(**owned, Key=key, Body=body)
    return owned["Bucket"], key


def remove_code(services: AwsServices, stack: str) -> None:
    """Delete the zips of the stack, and the bucket if it has nothing else."""
    with _bucket(services) as (client, owned):
        if not _has(client.head_bucket, **owned):
            return
        folder = _folder(stack)
        for page in client.get_paginator("list_objects_v2").paginate(**owned, Prefix=folder):
            for entry in page.get("Contents", []):
                client.delete_object(**owned, Key=entry["Key"])
        if not client.list_objects_v2(**owned, MaxKeys=1).get("KeyCount"):
            client.delete_bucket(**owned)


def _folder(stack: str) -> str:
    """Where the bucket has the zips of a stack: the stacks of all tables share the bucket."""
    return f"stream-function/{stack}/"


@contextmanager
def _bucket(services: AwsServices) -> Iterator[tuple[Any, dict[str, str]]]:
    """A client, and the bucket with the account that must own it."""
    identity = caller(services.target)
    name = f"cruddur-ops-{identity.account}-{identity.region}"
    client = services.client("s3")
    with closing(client), translating("s3", services.target):
        yield client, {"Bucket": name, "ExpectedBucketOwner": identity.account}


def _make_bucket(client: Any, owned: dict[str, str]) -> None:
    if _has(client.head_bucket, **owned):
        return
    region = client.meta.region_name
    place = {} if region == "us-east-1" else {"LocationConstraint": region}
    configuration = {"CreateBucketConfiguration": place} if place else {}
    client.create_bucket(Bucket=owned["Bucket"], **configuration)


def _has(look: Any, **params: str) -> bool:
    try:
        look(**params)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket", "NoSuchKey", "NotFound"):
            return False
        raise
    return True


def template(bucket: str, key: str) -> str:
    """The template with its code at that place."""
    text = TEMPLATE.read_text("utf-8")
    if _LOCAL_CODE not in text:
        raise AssertionError(f"{TEMPLATE} does not name its code as expected")
    return text.replace(_LOCAL_CODE, f"Code: {{ S3Bucket: {bucket}, S3Key: {key} }}\n")


def list_alarms(services: AwsServices, stack: str, *, quick: bool = False) -> list[Alarm]:
    """The stack's alarms with their states."""
    client = services.client("cloudwatch", quick=quick)
    with closing(client), translating("cloudwatch", services.target):
        pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-")
        return [
            Alarm(alarm["AlarmName"], alarm["StateValue"], alarm.get("AlarmDescription", ""))
            for page in pages
            for alarm in page["MetricAlarms"]
        ]
