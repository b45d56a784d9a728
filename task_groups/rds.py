"""The RDS database in AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.collection import Collection

from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.aws import RuleChange, SecurityGroupRule


@task(
    csv=True,
    help=help_for(
        "prod",
        "json",
        ip="The public IPv4 address to let in. GITPOD_IP unless given, else looked up over HTTPS.",
    ),
    opens={"aws": "making"},
)
def update_sg_rule(ctx: Context, prod: bool = False, ip: str = "", json: bool = False) -> None:
    """Let this machine's public address through the security group of RDS."""
    from dataclasses import asdict

    from core.aws import global_ipv4, machine_ipv4, plan_rule, point_rule_at, port_number, rule_ids

    settings = run().settings
    ids = rule_ids(run().target)
    if ids is None:
        names = " and ".join(run().target.sources_of_rule)
        terminal.note(f"{names} are not set: there is no rule to update")
        if json:
            terminal.print_json([])
        return
    port = port_number(settings.postgres_port)
    address = global_ipv4(ip) if ip else machine_ipv4(settings)
    run().tell_target()
    change = plan_rule(run().door.look().aws, *ids, address, port)
    if change.changed:  # only a change is audited
        with opened(ctx) as stores:
            change = point_rule_at(stores.aws, *ids, address, port)
    dry = terminal.is_dry(ctx)
    if not json:
        _print_table(change, "would be" if dry else "after")
    elif not dry:
        terminal.print_json([{"changed": change.changed, **asdict(change)}])
    if not change.changed:
        terminal.note("The rule is already right: nothing was changed")


def _print_table(change: RuleChange, after: str) -> None:
    columns = ("", "rule", "protocol", "ports", "source", "description")
    rows = [_row("before", change.before), _row(after, change.after)]
    terminal.print_table(columns, rows, "")


def _row(when: str, rule: SecurityGroupRule) -> tuple[str, ...]:
    ports = str(rule.from_port)
    if rule.to_port != rule.from_port:
        ports += f"-{rule.to_port}"
    return (when, rule.rule_id, rule.protocol, ports, rule.source, rule.description)


ns = Collection(update_sg_rule)
