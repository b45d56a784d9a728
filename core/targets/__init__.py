"""The one resolved target of a run: where both stores are, and what counts as production."""

from __future__ import annotations

from core.targets.production import Environment, StoreState, why_production
from core.targets.target import AwsKeys, AwsTarget, Target, resolve

__all__ = [
    "AwsKeys",
    "AwsTarget",
    "Environment",
    "StoreState",
    "Target",
    "resolve",
    "why_production",
]
