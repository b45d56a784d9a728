"""How a connection to production's Postgres is encrypted and verified.

Libpq's own default, ``prefer``, verifies nothing and continues without encryption. Production on
another machine is verified (``verify-full``) unless its URL has an ``sslmode`` of its own. A server
on this machine, which may be the end of a tunnel, follows its URL.
https://www.postgresql.org/docs/current/libpq-ssl.html
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import SettingsError
from core.settings import data_folder, libpq_variables
from core.targets.postgres import PostgresAddress

BUNDLE_SETTING = "PROD_CONNECTION_CA_BUNDLE"

_RDS = re.compile(r"\.(?P<region>[a-z0-9-]+)\.rds\.amazonaws\.com(\.cn)?$")
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
_DOWNLOAD = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html"""


def rds_region(host: str) -> str | None:
    """The AWS region in the name of an RDS instance; None for any other host."""
    match = _RDS.search(host)
    return match["region"] if match else None


def verified(
    address: PostgresAddress, bundle: str | None, setting: str = BUNDLE_SETTING
) -> PostgresAddress:
    """``address`` with verification, unless its URL chooses an ``sslmode`` itself.

    ``bundle`` is the path of the certificates to verify servers with, the value of ``setting``.

    Raises:
        SettingsError: there is no such file, or none was found for an RDS instance.
    """
    from_url = conninfo_to_dict(address.conninfo)
    options = {}
    if "sslmode" not in from_url and not address.is_local:
        options["sslmode"] = "verify-full"
    verifies = str(options.get("sslmode") or from_url.get("sslmode", "")).startswith("verify-")
    if (
        verifies
        and "sslrootcert" not in from_url
        and (path := _bundle(address, from_url, bundle, setting))
    ):
        options["sslrootcert"] = path
    return replace(address, conninfo=make_conninfo(address.conninfo, **options))


def _bundle(
    address: PostgresAddress, from_url: Mapping[str, object], bundle: str | None, setting: str
) -> str | None:
    """The file to verify with; None if libpq uses its own."""
    if bundle:
        named = data_folder() / bundle
        if not named.is_file():
            raise SettingsError(f"{setting} is {bundle!r}, which is not a file", _ask(setting))
        return str(named)
    if "PGSSLROOTCERT" in libpq_variables() or "service" in from_url:
        return None
    if (Path.home() / ".postgresql" / "root.crt").is_file():
        return None
    regions = {region for host in address.host.split(",") if (region := rds_region(host))}
    candidates = _aws_bundles(regions) if regions else _system_bundles()
    if (path := next(filter(Path.is_file, candidates), None)) is not None:
        return str(path)
    raise SettingsError(f"No CA bundle to verify {address.place} with was found", _ask(setting))


def _aws_bundles(regions: set[str]) -> Iterator[Path]:
    names = ("global-bundle.pem", *(f"{region}-bundle.pem" for region in sorted(regions)))
    for folder in (data_folder(), Path.home(), Path.home() / ".postgresql", Path("/etc/ssl/certs")):
        yield from (folder / name for name in names)


def _system_bundles() -> Iterator[Path]:
    """Where systems keep the certificates of public authorities.

    Libpq's ``sslrootcert=system`` uses the OpenSSL of its wheel, which was built elsewhere.
    """
    if own := ssl.get_default_verify_paths().cafile:
        yield Path(own)
    yield from map(Path, _SYSTEM_BUNDLES)


def _ask(setting: str) -> str:
    return f"Set {setting} to the path of one. For RDS, download it: curl -O {_DOWNLOAD}"
