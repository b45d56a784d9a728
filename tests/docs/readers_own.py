"""Values that differ for each reader, for which a page gives examples: hosts and ids."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from .world import World


def _prod_connection_url(world: World, shown: str) -> str:
    server = urlsplit(world.production.postgres_url)
    url = server._replace(path=urlsplit(shown).path).geturl()
    world.disguises.append((_place(url), _place(shown)))
    return url


def _connection_url(world: World, shown: str) -> str:
    server = urlsplit(world.local.postgres_url)
    return server._replace(path=urlsplit(shown).path).geturl()


def _place(url: str) -> str:
    """A Postgres URL as the target line shows it."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.path[1:]} at {parts.hostname}{port} as {parts.username}"


def _user_pool_id(world: World, shown: str) -> str:
    pool_id = make_user_pool(world, prod=True)
    world.disguises.append((pool_id, shown))
    return pool_id


def make_user_pool(world: World, *, prod: bool) -> str:
    """A pool in which two of the demo users have signed up."""
    client = world.aws_client("cognito-idp", prod=prod)
    pool_id: str = client.create_user_pool(PoolName="cruddur")["UserPool"]["Id"]
    for handle in ("andrewbrown", "bayko"):
        attributes = {"email": f"{handle}@example.com", "preferred_username": handle}
        client.admin_create_user(
            UserPoolId=pool_id,
            Username=handle,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
    client.close()
    return pool_id


def _security_group_id(world: World, shown: str) -> str:
    """A group whose only inbound rule allows another address than this machine's."""
    client = world.aws_client("ec2", prod=True)
    group_id: str = client.create_security_group(GroupName=uuid.uuid4().hex, Description="db")[
        "GroupId"
    ]
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "IpRanges": [{"CidrIp": "203.0.113.7/32", "Description": "GITPOD"}],
    }
    client.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    client.close()
    world.disguises.append((group_id, shown))
    return group_id


def _security_group_rule_id(world: World, shown: str) -> str:
    client = world.aws_client("ec2", prod=True)
    here = [{"Name": "group-id", "Values": [world.env["DB_SG_ID"]]}]
    rules = client.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
    client.close()
    (rule_id,) = [str(rule["SecurityGroupRuleId"]) for rule in rules if not rule["IsEgress"]]
    world.disguises.append((rule_id, shown))
    return rule_id


READERS_OWN: dict[str, Callable[[World, str], str]] = {
    "CONNECTION_URL": _connection_url,
    "AWS_ENDPOINT_URL_DYNAMODB": lambda world, shown: world.local.aws_endpoint_url,
    "PROD_CONNECTION_URL": _prod_connection_url,
    "AWS_COGNITO_USER_POOL_ID": _user_pool_id,
    "DB_SG_ID": _security_group_id,
    "DB_SG_RULE_ID": _security_group_rule_id,
}
"""Variables whose values in a page are examples: what makes the thing, and answers its id here."""
