"""A proxy between DynamoDB's clients and an engine that imitates a bad network and a busy store.

Faults happen at the socket: the SDK gets real resets and real error replies, so its own reaction is
tested as well. A seed chooses the faults.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


class Fault(StrEnum):
    RESET_BEFORE = "reset before"
    RESET_AFTER = "reset after"
    INTERNAL_ERROR = "internal error"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    UNPROCESSED = "partly unprocessed"


BAD_DAY = {
    Fault.RESET_BEFORE: 0.01,
    Fault.RESET_AFTER: 0.01,
    Fault.INTERNAL_ERROR: 0.01,
    Fault.THROTTLED: 0.05,
    Fault.CONFLICT: 0.10,
    Fault.UNPROCESSED: 0.30,
}
"""The probability of each fault, among the requests that can have it."""

_ONLY_OF = {Fault.CONFLICT: "TransactWriteItems", Fault.UNPROCESSED: "BatchWriteItem"}
_THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException")


@dataclass(slots=True)
class Strike:
    """What is done to a client at its ``countdown``-th request from now on, and only once.

    Before the request is forwarded, or after the engine has committed it. No reply follows: the
    line stays open until the client is gone. With ``only``, other requests do not count.
    """

    countdown: int
    after_commit: bool
    kill: Callable[[], object]
    only: str | None = None
    struck: str | None = None
    """The kind of request that it struck at; None until then."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class FaultProxy:
    """The proxy of one engine, in threads of this process; ``with FaultProxy(url) as proxy``.

    Close the clients that use it first.
    """

    engine_url: str
    rates: Mapping[Fault, float] = field(default_factory=lambda: BAD_DAY)
    seed: int = 0
    strike: Strike | None = None
    faults: Counter[Fault] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()

    def summary(self) -> str:
        """The number of faults of each kind, for a person."""
        faults = ", ".join(f"{count:,} {fault}" for fault, count in sorted(self.faults.items()))
        return f"{self.requests.total():,} requests met {faults or 'no fault'}"

    def drawn(self, operation: str, items: int) -> tuple[Fault | None, random.Random]:
        """The fault for this request, and the random generator for its details."""
        with self._lock:
            self.requests[operation] += 1
            chance = random.Random(self._random.random())
            for fault, rate in self.rates.items():
                if _ONLY_OF.get(fault, operation) != operation:
                    continue
                if fault is Fault.UNPROCESSED and items < 2:
                    continue  # of one item nothing would be left
                if self._random.random() < rate:
                    self.faults[fault] += 1
                    return fault, chance
            return None, chance

    def due(self, operation: str) -> Strike | None:
        """The strike, if it is due at this request."""
        with self._lock:
            strike = self.strike
            if strike is None or strike.struck or strike.only not in (None, operation):
                return None
            strike.countdown -= 1
            if strike.countdown > 0:
                return None
            strike.struck = operation
            return strike


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing the server waits for them
    request_queue_size = 64

    def __init__(self, proxy: FaultProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.lines: set[socket.socket] = set()

    def shutdown_request(self, request: Any) -> None:
        request.close()  # without a shutdown ahead of it, which would be orderly

    def hang_up(self) -> None:
        for line in tuple(self.lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One client's connection, with a separate connection to the engine."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        engine = urlsplit(self.server.proxy.engine_url)
        self.engine = HTTPConnection(str(engine.hostname), engine.port, timeout=60)
        self.server.lines.add(self.connection)

    def handle(self) -> None:
        with suppress(OSError):  # the client is gone
            super().handle()

    def finish(self) -> None:
        self.server.lines.discard(self.connection)
        self.engine.close()
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        strike = self.server.proxy.due(operation)
        if strike is not None:
            self._be_struck(strike, body)
            return
        request = json.loads(body) if operation == "BatchWriteItem" else {}
        items = sum(map(len, request.get("RequestItems", {}).values()))
        fault, chance = self.server.proxy.drawn(operation, items)
        try:
            reply = self._reply(fault, chance, body)
        except (OSError, HTTPException):
            reply = None  # the engine is gone
        if reply is None:
            self._reset()
        else:
            self._send(reply)

    def _reply(self, fault: Fault | None, chance: random.Random, body: bytes) -> Reply | None:
        """The reply for the client; None for a reset."""
        match fault:
            case Fault.RESET_BEFORE:
                return None
            case Fault.RESET_AFTER:
                self._forward(body)
                return None
            case Fault.INTERNAL_ERROR:
                if chance.random() < 0.5:  # it says nothing of what was done
                    self._forward(body)
                return _refusal(500, "InternalServerError")
            case Fault.THROTTLED:
                return _refusal(400, chance.choice(_THROTTLES))
            case Fault.CONFLICT:
                return _conflict(json.loads(body), chance)
            case Fault.UNPROCESSED:
                return self._forward_some(json.loads(body), chance)
        return self._forward(body)

    def _forward(self, body: bytes) -> Reply:
        left_out = ("host", "content-length", "connection", "expect")
        headers = {name: v for name, v in self.headers.items() if name.lower() not in left_out}
        self.engine.request("POST", self.path, body, headers)
        with self.engine.getresponse() as response:
            headers_kept = {
                name: value
                for name, value in response.getheaders()
                if name.lower().startswith(("content-type", "x-amz"))
            }
            return Reply(response.status, headers_kept, response.read())

    def _forward_some(self, request: dict[str, Any], chance: random.Random) -> Reply:
        """Carry out a part of a batch, at least one request but not all, and return the rest."""
        put_requests = [
            (t, put_request)
            for t, batch in request["RequestItems"].items()
            for put_request in batch
        ]
        left_out = set(
            chance.sample(range(len(put_requests)), chance.randrange(1, len(put_requests)))
        )
        parts: tuple[dict[str, list[Any]], ...] = ({}, {})
        for place, (table, put_request) in enumerate(put_requests):
            parts[place in left_out].setdefault(table, []).append(put_request)
        done, unprocessed = parts
        reply = self._forward(json.dumps(request | {"RequestItems": done}).encode())
        if reply.status != 200:
            return reply
        content = json.loads(reply.body)
        for table, rest in content.get("UnprocessedItems", {}).items():
            unprocessed.setdefault(table, []).extend(rest)
        content["UnprocessedItems"] = unprocessed
        # The engine's checksum was of its own body.
        headers = {k: v for k, v in reply.headers.items() if k.lower() != "x-amz-crc32"}
        return Reply(200, headers, json.dumps(content).encode())

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _reset(self) -> None:
        """End the connection with a reset, not in the normal way."""
        linger_not = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        self.close_connection = True

    def _be_struck(self, strike: Strike, body: bytes) -> None:
        if strike.after_commit:
            self._forward(body)
        strike.kill()
        self.close_connection = True
        while self.connection.recv(1024):
            pass


def _refusal(status: int, code: str, **more: Any) -> Reply:
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return Reply(status, headers, json.dumps(content).encode())


def _conflict(request: dict[str, Any], chance: random.Random) -> Reply:
    """A transaction cancelled because another one was using one of its items."""
    reasons: list[dict[str, str]] = [{"Code": "None"} for _ in request["TransactItems"]]
    conflict = chance.randrange(len(reasons))
    reasons[conflict] = {
        "Code": "TransactionConflict",
        "Message": "Transaction is ongoing for the item",
    }
    return _refusal(400, "TransactionCanceledException", CancellationReasons=reasons)
