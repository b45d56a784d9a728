"""AWS's services except the message table: Cognito, EC2, Lambda and its stack, STS.

These are the package's public names; code outside imports none of its modules, except
``core.dynamodb``, which makes its clients with :mod:`core.aws.clients`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.lazy import loader

if TYPE_CHECKING:
    from core.aws.clock import ReplyClock as ReplyClock
    from core.aws.cognito import CognitoUser as CognitoUser, list_users as list_users
    from core.aws.database_password import postgres_address as postgres_address
    from core.aws.event_sources import (
        EventSource as EventSource,
        list_event_sources as list_event_sources,
    )
    from core.aws.identity import Caller as Caller, caller as caller
    from core.aws.lambda_package import HANDLER as HANDLER, build_zip as build_zip
    from core.aws.login_client import (
        LoginClient as LoginClient,
        check_provider as check_provider,
        make_login_client as make_login_client,
    )
    from core.aws.public_ip import global_ipv4 as global_ipv4, machine_ipv4 as machine_ipv4
    from core.aws.security_groups import (
        RuleChange as RuleChange,
        SecurityGroupRule as SecurityGroupRule,
        plan_rule as plan_rule,
        point_rule_at as point_rule_at,
        port_number as port_number,
        rule as rule,
        rule_ids as rule_ids,
    )
    from core.aws.services import AwsServices as AwsServices
    from core.aws.stacks import (
        Change as Change,
        ChangeSet as ChangeSet,
        Stack as Stack,
        delete_stack as delete_stack,
        discard as discard,
        execute as execute,
        find_stack as find_stack,
        has_table as has_table,
        plan_change as plan_change,
    )
    from core.aws.stream_stack import (
        Alarm as Alarm,
        list_alarms as list_alarms,
        remove_code as remove_code,
        stack_name as stack_name,
        template as template,
        upload_code as upload_code,
    )

NAMES = {
    "services": ("AwsServices",),
    "stacks": (
        "Change",
        "ChangeSet",
        "Stack",
        "delete_stack",
        "discard",
        "execute",
        "find_stack",
        "has_table",
        "plan_change",
    ),
    "stream_stack": (
        "Alarm",
        "list_alarms",
        "remove_code",
        "stack_name",
        "template",
        "upload_code",
    ),
    "clock": ("ReplyClock",),
    "cognito": (
        "CognitoUser",
        "list_users",
    ),
    "database_password": ("postgres_address",),
    "event_sources": (
        "EventSource",
        "list_event_sources",
    ),
    "identity": (
        "Caller",
        "caller",
    ),
    "login_client": (
        "LoginClient",
        "check_provider",
        "make_login_client",
    ),
    "lambda_package": (
        "HANDLER",
        "build_zip",
    ),
    "public_ip": (
        "global_ipv4",
        "machine_ipv4",
    ),
    "security_groups": (
        "RuleChange",
        "SecurityGroupRule",
        "plan_rule",
        "point_rule_at",
        "port_number",
        "rule",
        "rule_ids",
    ),
}
"""Every public name, by the module that defines it."""

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, NAMES)
