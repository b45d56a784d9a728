"""Writes the body of a batch of statements, whose values have the SDK's own form already.

The SDK checks and copies each value by the service's model, in Python: for a batch of 25 items a
third of the processor's time. So the statements are taken out before the SDK builds the request,
and its body is written from them.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from core.json_lines import json_line

_STATEMENTS = "cruddur-ops.statements"
_PLACEHOLDER = [{"Statement": "-"}]
"""The service's model requires a statement."""


def take_statements(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Keep the statements for :func:`write_statements`.

    A handler of the SDK's event ``before-parameter-build``.
    """
    context[_STATEMENTS] = params["Statements"]
    params["Statements"] = _PLACEHOLDER


def write_statements(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Write the body of the request: the statements, and what the SDK made of the rest.

    A handler of the SDK's event ``before-call``.
    """
    body = json.loads(params["body"])
    body["Statements"] = context.pop(_STATEMENTS)
    params["body"] = json_line(body, _binary).encode()


def _binary(value: Any) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"not a value of an attribute: {value!r}")
    return base64.b64encode(value).decode("ascii")
