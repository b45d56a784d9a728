"""The AWS account of a target."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from core.aws.clients import make_client
from core.aws.errors import translating
from core.targets import AwsTarget


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that signs requests. ``account`` has twelve digits; ``region`` is resolved."""

    account: str
    arn: str
    region: str


def caller(target: AwsTarget, *, quick: bool = False) -> Caller:
    """The identity that the target's credentials belong to.

    It needs no permission: AWS answers every signed request. ``quick``: see ``make_client``.

    Raises:
        CredentialsError: there are no credentials, they have expired, or AWS does not know them.
    """
    with closing(make_client(target, "sts", quick=quick)) as client, translating("sts", target):
        reply = client.get_caller_identity()
        return Caller(str(reply["Account"]), str(reply["Arn"]), str(client.meta.region_name))


def account_id(target: AwsTarget) -> str:
    """The account of :func:`caller`."""
    return caller(target).account
