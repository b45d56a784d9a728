"""Asks a local endpoint whether it has a table, for many regions and access keys."""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from core.aws.clients import PLACEHOLDER, is_loopback
from core.targets import AwsTarget
from core.targets.target import AwsKeys

_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
}


class TableProbe:
    """One connection to the endpoint of ``target``.

    The SDK's client knows one region and all operations: to make one for each place takes ten times
    as long as to ask. So each request is signed by the SDK and sent as it is.
    """

    def __init__(self, target: AwsTarget) -> None:
        self._url = target.endpoint_url or ""
        self._keys: AwsKeys = target.keys or PLACEHOLDER
        # A proxy in the environment must never see a call to this machine.
        proxies: dict[str, str] | None = {} if is_loopback(self._url) else None
        at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        self._http = URLLib3Session(timeout=(3, 5), proxies=proxies, socket_options=at_once)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._http.close()

    def has_table(self, name: str, region: str, keys: AwsKeys | None = None) -> bool:
        """Whether the endpoint has the table; False also if it does not answer as DynamoDB does."""
        body = json.dumps({"TableName": name}).encode()
        request = AWSRequest("POST", self._url, headers=dict(_HEADERS), data=body)
        try:
            SigV4Auth(Credentials(*(keys or self._keys)), "dynamodb", region).add_auth(request)
            reply = self._http.send(request.prepare())
        except BotoCoreError:
            return False
        return bool(reply.status_code == 200 and b'"TableName"' in reply.content)
