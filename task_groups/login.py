"""The login of the admin UI."""

from __future__ import annotations

from task_groups import admin_server, terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for


@task(
    help=help_for(
        "prod",
        url="The https address at which people open the admin UI. This machine's unless given.",
        port="Port of the admin UI on this machine. 8501 unless given.",
    ),
    opens={"aws": "making"},
)
def configure_login(ctx: Context, prod: bool = False, url: str = "", port: str = "") -> None:
    """Make Cognito's part of the admin UI's login, write secrets.toml, and check both."""
    from core.aws import check_provider, make_login_client
    from core.commands import Command
    from core.origins import parse_url
    from core.usecases import operator_login

    settings, path = run().settings, operator_login.secrets_path(run().settings)
    pool_id = terminal.user_pool(run().target)
    number = admin_server.port_number(port) or admin_server.FIRST_PORT
    home = str(parse_url(url, "--url")) if url else admin_server.local_home(settings, number)
    redirect_uri = f"{home}/oauth2callback"
    operator_login.read_login(path)  # before anything is made
    run().tell_target()
    with opened(ctx) as stores:
        client = make_login_client(stores.aws, pool_id, settings.admin_group, redirect_uri)
    if terminal.is_dry(ctx):
        terminal.print_line(f"would write {path}")
        return
    changed = operator_login.write_login(path, client, redirect_uri)
    for change in (*client.changes, *([f"wrote {path}"] if changed else [])):
        terminal.print_line(change)
    check_provider(pool_id, client.metadata_url)
    terminal.print_line(
        f"The login is complete. People in the group {settings.admin_group} may log in"
    )
    options = ("--address IP", f"--url {home}") if url else ()
    terminal.note(f"Next: {Command('admin', options).line(run().target.options)}")
