"""Whose account a target is."""

from moto import mock_aws

from core.aws.identity import Caller, account_id, caller
from core.targets import AwsTarget


@mock_aws
def test_the_account_is_the_one_of_the_credentials() -> None:
    target = AwsTarget(None, "us-east-1", placeholder_credentials=True)
    assert account_id(target) == "123456789012"


@mock_aws
def test_a_caller_is_described_with_name_and_region() -> None:
    target = AwsTarget(None, "eu-west-1", placeholder_credentials=True)
    identity = caller(target, quick=True)
    assert identity == Caller("123456789012", identity.arn, "eu-west-1")
    assert identity.arn.startswith("arn:aws:sts::123456789012:")
