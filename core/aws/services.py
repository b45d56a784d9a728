"""AWS's services, opened for one purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.aws.clients import DrySink, make_client
from core.purposes import Need, Purpose
from core.targets import AwsTarget

_NEEDS = {
    ("cognito-idp", "ListUsers"): Need.READ,  # shows users' emails
    ("cognito-idp", "GetGroup"): Need.LOOK,
    ("cognito-idp", "ListUserPoolClients"): Need.LOOK,
    ("cognito-idp", "DescribeUserPoolClient"): Need.MAKE,  # shows the client's secret
    ("cognito-idp", "CreateGroup"): Need.MAKE,
    ("cognito-idp", "CreateUserPoolClient"): Need.MAKE,
    ("cognito-idp", "UpdateUserPoolClient"): Need.MAKE,
    ("ec2", "DescribeSecurityGroupRules"): Need.LOOK,
    ("ec2", "ModifySecurityGroupRules"): Need.MAKE,
    ("cloudformation", "DescribeStacks"): Need.LOOK,
    ("cloudformation", "DescribeStackEvents"): Need.LOOK,
    ("cloudformation", "ListStackResources"): Need.LOOK,
    ("cloudformation", "DescribeChangeSet"): Need.LOOK,
    ("cloudformation", "CreateChangeSet"): Need.WRITE,
    ("cloudformation", "DeleteChangeSet"): Need.WRITE,
    ("cloudformation", "ExecuteChangeSet"): Need.WRITE,
    ("cloudformation", "DeleteStack"): Need.WRITE,  # of the function: it has no data
    ("cloudwatch", "DescribeAlarms"): Need.LOOK,
    ("s3", "HeadBucket"): Need.LOOK,
    ("s3", "HeadObject"): Need.LOOK,
    ("s3", "ListObjectsV2"): Need.LOOK,
    ("s3", "CreateBucket"): Need.WRITE,
    ("s3", "PutObject"): Need.WRITE,  # the function's code
    ("s3", "DeleteObject"): Need.WRITE,
    ("s3", "DeleteBucket"): Need.WRITE,
}


@dataclass(frozen=True, slots=True)
class AwsServices:
    """The services of one target, opened for one purpose.

    Their clients refuse requests that the purpose does not allow before they are sent. An
    operation that is not listed needs the strictest permission.
    """

    target: AwsTarget
    purpose: Purpose = Purpose.LOOKING
    dry: DrySink | None = None

    @property
    def is_dry(self) -> bool:
        return self.dry is not None

    def client(self, service: str, *, quick: bool = False) -> Any:
        """A client of ``service``; for ``quick`` see :func:`~core.aws.clients.make_client`."""
        client = make_client(self.target, service, dry=self.dry, quick=quick)
        client.meta.events.register_first("provide-client-params", self._check)
        return client

    def _check(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        self.purpose.require(need_of(service, model.name), f"{model.name} on {service}")


def need_of(service: str, operation: str) -> Need:
    """The permission that a request needs. Both names are spelled as in botocore and the API.

    It depends on the whole name: one that begins with ``Get``, like ``GetSecretValue``, may need
    more than looking.
    """
    return _NEEDS.get((service, operation), Need.DESTROY)
