"""CloudFormation stacks: find one, plan a change as a change set, execute it, delete it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core.aws.errors import translating
from core.aws.services import AwsServices
from core.errors import InputError, StoreError

TABLE = "AWS::DynamoDB::Table"
"""The kind of a table among a stack's resources."""

_WAIT_S = 900
_LONGEST_PAUSE_S = 5.0
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it is. ``status`` is CloudFormation's own word."""

    name: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_changing(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and not self.is_only_planned

    @property
    def is_only_planned(self) -> bool:
        """Whether it has a change set and no resources yet."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def is_well(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True, slots=True)
class Change:
    """What a change set does to one resource: Add, Modify, Replace or Remove."""

    action: str
    resource: str
    kind: str

    @property
    def is_of_table(self) -> bool:
        return self.kind == TABLE


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A planned change of a stack, which nothing has executed."""

    stack: str
    arn: str
    is_new: bool
    changes: tuple[Change, ...]


@contextmanager
def _cloudformation(services: AwsServices) -> Iterator[Any]:
    client = services.client("cloudformation")
    with closing(client), translating("cloudformation", services.target):
        yield client


def find_stack(services: AwsServices, name: str) -> Stack | None:
    """The stack, or None if there is none."""
    with _cloudformation(services) as client:
        return _find(client, name)


def _find(client: Any, name: str) -> Stack | None:
    try:
        (described,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if described["StackStatus"] == "DELETE_COMPLETE":
        return None
    return Stack(
        name,
        described["StackStatus"],
        described.get("StackStatusReason", ""),
        {
            entry["ParameterKey"]: entry["ParameterValue"]
            for entry in described.get("Parameters", [])
        },
        {entry["OutputKey"]: entry["OutputValue"] for entry in described.get("Outputs", [])},
    )


def has_table(services: AwsServices, name: str) -> bool:
    """Whether a table is one of the stack's resources."""
    with _cloudformation(services) as client:
        pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
        return any(
            resource["ResourceType"] == TABLE and resource["ResourceStatus"] != "DELETE_COMPLETE"
            for page in pages
            for resource in page["StackResourceSummaries"]
        )


def plan_change(
    services: AwsServices, name: str, template: str, parameters: Mapping[str, str]
) -> ChangeSet | None:
    """The change set that makes the stack what ``template`` says; None if it is that already.

    Raises:
        InputError: the stack is being changed, or failed to be created.
        StoreError: CloudFormation does not accept the template.
    """
    with _cloudformation(services) as client:
        stack = _find(client, name)
        if stack is not None and stack.is_changing:
            raise InputError(f"The stack {name} is being changed ({stack.status})", "Wait for it.")
        is_new = stack is None or stack.is_only_planned
        arn = client.create_change_set(
            StackName=name,
            ChangeSetName=f"cruddur-ops-{uuid.uuid4().hex[:12]}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=template,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )["Id"]
        described = _settled(
            lambda: client.describe_change_set(ChangeSetName=arn),
            lambda state: state["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"),
        )
        if described["Status"] != "FAILED":
            return ChangeSet(name, arn, is_new, tuple(_changes(client, arn)))
        client.delete_change_set(ChangeSetName=arn)
    reason = described.get("StatusReason", "")
    if any(words in reason for words in _UNCHANGED):
        return None
    raise StoreError(f"CloudFormation refused the change of {name}: {reason}", "")


def _changes(client: Any, arn: str) -> Iterator[Change]:
    pages = client.get_paginator("describe_change_set").paginate(ChangeSetName=arn)
    for page in pages:
        for change in page["Changes"]:
            resource = change["ResourceChange"]
            replaced = resource.get("Replacement") in ("True", "Conditional")
            action = "Replace" if replaced else resource["Action"]
            yield Change(action, resource["LogicalResourceId"], resource["ResourceType"])


def discard(services: AwsServices, change_set: ChangeSet) -> None:
    """Delete a change set that is not to be executed."""
    with _cloudformation(services) as client:
        client.delete_change_set(ChangeSetName=change_set.arn)


def execute(services: AwsServices, change_set: ChangeSet) -> Stack:
    """The stack after the change set was executed; waits for its end.

    Raises:
        StoreError: it failed, and was rolled back.
    """
    with _cloudformation(services) as client:
        client.execute_change_set(ChangeSetName=change_set.arn)
        stack: Stack | None = _settled(
            lambda: _find(client, change_set.stack),
            lambda state: state is None or not (state.is_changing or state.is_only_planned),
        )
        if stack is not None and stack.is_well:
            return stack
        status = stack.status if stack else "gone"
        reason = _first_failure(client, change_set.stack) or (stack.reason if stack else "")
    raise StoreError(f"The stack {change_set.stack} is {status}: {reason}", "")


def _first_failure(client: Any, name: str) -> str:
    events = client.describe_stack_events(StackName=name)["StackEvents"]  # the newest first
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    if not failed:
        return ""
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', '')}"


def delete_stack(services: AwsServices, name: str) -> None:
    """Delete the stack and what is in it; waits for the end.

    Raises:
        StoreError: a resource could not be deleted.
    """
    with _cloudformation(services) as client:
        client.delete_stack(StackName=name)
        stack = _settled(
            lambda: _find(client, name), lambda state: state is None or not state.is_changing
        )
        if stack is not None:
            reason = _first_failure(client, name) or stack.reason
            raise StoreError(f"The stack {name} is {stack.status}: {reason}", "")


def _settled(look: Callable[[], Any], is_done: Callable[[Any], bool]) -> Any:
    """What ``look`` finds once ``is_done`` says so, asking ever less often."""
    until, pause = time.monotonic() + _WAIT_S, 0.05
    while not is_done(state := look()):
        if time.monotonic() > until:
            raise StoreError("CloudFormation is not done yet", "Look again later.")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)
    return state
