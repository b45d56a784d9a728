"""Whose AWS account a target is."""

from __future__ import annotations

from core.aws.clients import make_client
from core.aws.errors import translating
from core.targets import AwsTarget


def account_id(target: AwsTarget) -> str:
    """The twelve digits of the account that the target's credentials belong to.

    Needs no permission: AWS answers whoever signs the request.

    Raises:
        CredentialsError: there are no credentials, or AWS does not know them.
    """
    client = make_client(target, "sts")
    with translating("sts", target):
        return str(client.get_caller_identity()["Account"])
