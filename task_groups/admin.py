"""The admin UI: a Streamlit server in the foreground."""

from __future__ import annotations

import ipaddress

from task_groups import admin_server
from task_groups.running import run, task
from task_groups.terminal import Context, help_for


@task(
    help=help_for(
        "prod",
        write="Allow what changes something where the target is production.",
        port=f"Port to listen on. The first free one from {admin_server.FIRST_PORT} unless given.",
        address="Listen on this address of the machine, not on 127.0.0.1. Needs --url and a login.",
        url="The https address at which people open the admin UI. Needs a login.",
    ),
    opens={"postgres": "looking", "dynamodb": "looking"},
)
def admin(
    ctx: Context,
    prod: bool = False,
    write: bool = False,
    port: str = "",
    address: str = "",
    url: str = "",
) -> None:
    """Open the admin UI on the target; Ctrl-C ends it. Finds one that already runs."""
    from core.errors import UsageError
    from core.origins import parse_url

    if address and not url:
        raise UsageError(
            "--address needs --url", "Give the https address at which people open the admin UI."
        )
    address = _ip_address(address)
    url = str(parse_url(url, "--url")) if url else ""
    run().tell_target()
    admin_server.serve(ctx, port=port, write=write, address=address, url=url)


def _ip_address(option: str) -> str:
    """The address that ``--address`` asks for; loopback where it is not given."""
    from core.errors import UsageError

    try:
        return str(ipaddress.ip_address(option)) if option else admin_server.LOOPBACK
    except ValueError:
        raise UsageError(f"--address needs an IP address, not {option!r}") from None
