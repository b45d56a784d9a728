"""Requests to an embedded DynamoDB, as it understands them: JSON over HTTP, with a placeholder key.

The engines check no signature. The AWS SDK would be one more thing to load, and would read an
item's values into Python's types: what moves from one engine to another stays the text that it is.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from core.errors import EngineError

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses of this machine: a proxy in the environment must never see such a call."""
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose tables they are. ministack keeps those of each account and region apart."""

    account: str = "local"
    region: str = "us-east-1"


HERE = Scope()


def send(
    port: int,
    operation: str,
    body: dict[str, Any],
    scope: Scope = HERE,
    timeout_s: float = _PATIENCE_S,
) -> dict[str, Any]:
    """The reply of the engine on ``port``.

    Raises:
        EngineError: it refused the request.
        OSError: it did not answer.
    """
    credential = f"{scope.account}/20260101/{scope.region}/dynamodb/aws4_request"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/",
        json.dumps(body).encode(),
        {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Date": "20260101T000000Z",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host,"
            " Signature=0",
        },
    )
    try:
        with direct.open(request, timeout=timeout_s) as reply:
            return dict(json.load(reply))
    except urllib.error.HTTPError as error:
        with error:
            reason = error.read().decode(errors="replace")
        raise EngineError(f"The engine refused {operation}: {reason}") from error
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)  # of a URLError
        raise ConnectionError(f"The engine did not answer {operation}: {cause}") from error
