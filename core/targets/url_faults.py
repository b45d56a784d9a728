"""Names the character or the option that makes a URL unusable. Never shows a part of a secret."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

Explanation = tuple[str, str]
"""A URL's problem, in words that follow its variable's name, and what to do."""

_QUOTES = "\"'`“”‘’"
_POSTGRES_SCHEMES = ("postgresql", "postgres")
_SCHEME = re.compile(r"([A-Za-z][\w+.:-]*?)://")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE | re.ASCII)

_SECRETS = ("password", "sslpassword", "oauth_client_secret")

_OTHER_PROGRAMS_OPTIONS = {
    "schema": "This is Prisma's. Remove it: the tables are found in the schema public.",
    "currentSchema": "This is JDBC's. Remove it: the tables are found in the schema public.",
    "pgbouncer": "This is Prisma's. Remove it: nothing is prepared for a session.",
    "connection_limit": "This is Prisma's. Remove it.",
    "pool_timeout": "This is Prisma's. Remove it.",
}


def explain_postgres_url(url: str, options: Collection[str]) -> Explanation | None:
    """Why libpq cannot read ``url``, or None if that is unknown. ``options`` are libpq's own."""
    if explanation := _explain_characters(url):
        return explanation
    scheme = _SCHEME.match(url)
    if scheme is None:
        return None
    if scheme[1] not in _POSTGRES_SCHEMES:
        hint = "Write postgresql:// instead."
        if scheme[1].partition("+")[0].removeprefix("jdbc:") in _POSTGRES_SCHEMES:
            hint = f"Only another program reads {scheme[1]}://. Write postgresql:// instead."
        return f"begins with {scheme[1]}://, which is not Postgres's", hint
    if place := _BARE_PERCENT.search(url):
        problem = f"has a % at character {place.start() + 1} that no two hexadecimal digits follow"
        return problem, "Write %25 for a percent sign."
    if "%00" in url:
        return "contains %00, which Postgres does not accept", "Remove it."
    return _explain_options(url, options)


def _explain_options(url: str, options: Collection[str]) -> Explanation | None:
    query = url.rpartition("@")[2].partition("?")[2]
    for entry in filter(None, query.split("&")):
        name, separator, value = entry.partition("=")
        if name in _SECRETS or not re.fullmatch(r"\w+", name, re.ASCII):
            return None  # what follows may be a part of a password
        if name not in options and name != "ssl":
            hint = _OTHER_PROGRAMS_OPTIONS.get(name, "Remove it, or check how it is spelled.")
            return f"has the option {name}, which Postgres does not know", hint
        if not separator:
            return f"has the option {name} without a value", f"Write {name}=VALUE."
        if "=" in value:
            return f"has a bare = in the option {name}", "Write %3D for it."
    return None


def explain_endpoint(url: str) -> Explanation | None:
    """Why the AWS SDK does not accept ``url`` as an endpoint, or None if it does."""
    if explanation := _explain_characters(url):
        return explanation
    if not re.match(r"https?://", url):
        scheme = _SCHEME.match(url)
        problem = f"begins with {scheme[1]}://" if scheme else "does not begin with http://"
        return problem, "Write it like http://HOST:PORT"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "has an invalid host or port", "Write it like http://HOST:PORT"
    if port == 0:
        return "has the port 0", "Write the port that the server listens on."
    if not host:
        return "names no host", "Write it like http://HOST:PORT"
    if ":" in host or all(map(_LABEL.fullmatch, host.removesuffix(".").split("."))):
        return None
    strange = next((c for c in host if not (c.isascii() and (c.isalnum() or c in ".-"))), "")
    if strange == "_":
        hint = "The AWS SDK accepts no underscore there. Give the server a name without it."
        return f"has an underscore (_) in the host name {host}", hint
    what = f"the character {strange!r}" if strange else "an empty or too long part"
    return f"has {what} in its host name", "Use letters, digits, dots and dashes."


def _explain_characters(url: str) -> Explanation | None:
    """The quotes around a URL, or a blank in it."""
    if "://" not in url:
        return None
    for quote in (url[:1], url[-1:]):
        if quote and quote in _QUOTES:
            return f"has a quote ({quote}) around it", "Remove the quotes from its value."
    blank = re.search(r"\s", url)
    if blank:
        problem = f"has a blank at character {blank.start() + 1}"
        return problem, "Remove it, or write %20 for it."
    return None
