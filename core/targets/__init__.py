"""The one resolved target of a run: where both stores are, and what counts as production."""

from __future__ import annotations

from core.targets.named import known_environments, read_targets
from core.targets.production import (
    Environment,
    StoreState,
    other_environment,
    why_production,
)
from core.targets.target import AwsKeys, AwsTarget, Target, options_of, resolve

__all__ = [
    "AwsKeys",
    "AwsTarget",
    "Environment",
    "StoreState",
    "Target",
    "known_environments",
    "options_of",
    "other_environment",
    "read_targets",
    "resolve",
    "why_production",
]
