"""This machine's address on the internet."""

from __future__ import annotations

import ipaddress
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from urllib.parse import urlsplit

from core.errors import InputError, SettingsError, UnreachableError
from core.settings import Settings

SERVICES = ("https://checkip.amazonaws.com", "https://api.ipify.org")
"""Each replies with only the IPv4 address of the client."""

TIMEOUT_S = 5.0
_MAX_ANSWER_BYTES = 100


def machine_ipv4(settings: Settings, timeout_s: float = TIMEOUT_S) -> str:
    """This machine's public IPv4 address: what ``GITPOD_IP`` says, else looked up.

    Raises:
        SettingsError: ``GITPOD_IP`` is not a public IPv4 address.
        UnreachableError: no service gave an address.
    """
    if settings.gitpod_ip is None:
        return public_ipv4(timeout_s=timeout_s)
    try:
        return global_ipv4(settings.gitpod_ip)
    except InputError as error:
        raise SettingsError(f"GITPOD_IP: {error.problem}", error.hint) from error


def public_ipv4(services: Sequence[str] = SERVICES, timeout_s: float = TIMEOUT_S) -> str:
    """This machine's public IPv4 address, from the first of ``services`` that knows it.

    Goes through the proxy that the environment names; the address is then the proxy's.

    Raises:
        UnreachableError: none of them gave an address.
    """
    failures = []
    for url in services:
        try:
            return global_ipv4(_fetch(url, timeout_s))
        except InputError as error:
            failures.append(f"{urlsplit(url).hostname}: {error.problem}")
        except urllib.error.HTTPError as error:
            error.close()
            failures.append(f"{urlsplit(url).hostname}: HTTP {error.code}")
        # Failed connections, replies that are not HTTP, and invalid proxy addresses.
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            failures.append(f"{urlsplit(url).hostname}: {reason}")
    raise UnreachableError(
        f"Could not look up this machine's public address ({'; '.join(failures)})",
        "Set it with --ip ADDRESS.",
    )


def _fetch(url: str, timeout_s: float) -> str:
    with urllib.request.build_opener().open(url, timeout=timeout_s) as reply:
        answer: bytes = reply.read(_MAX_ANSWER_BYTES)
    return answer.decode("ascii", "replace")


def global_ipv4(text: str) -> str:
    """``text`` without blanks, if it is the public IPv4 address of one machine.

    Raises:
        InputError: it is something else.
    """
    try:
        address = ipaddress.IPv4Address(text.strip())
    except ValueError:
        raise InputError(
            f"{text.strip()[:40]!r} is not an IPv4 address", "Enter one like 8.8.4.4."
        ) from None
    if not address.is_global or address.is_multicast:
        raise InputError(
            f"{address} is not a public address", "Enter the address that the internet sees."
        )
    return str(address)
