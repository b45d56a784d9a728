"""Whose account a target is."""

from moto import mock_aws

from core.aws.identity import account_id
from core.targets import AwsTarget


@mock_aws
def test_the_account_is_the_one_of_the_credentials() -> None:
    target = AwsTarget(None, "us-east-1", placeholder_credentials=True)
    assert account_id(target) == "123456789012"
