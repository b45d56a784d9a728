"""What reads cost in money."""

from __future__ import annotations

USD_PER_MILLION_READ_UNITS = 0.125
"""On demand, in us-east-1; other regions cost up to twice as much:
https://aws.amazon.com/dynamodb/pricing/on-demand/"""


def price(read_units: float) -> str:
    """``$0.0039``: what AWS bills for so many read units, on demand."""
    usd = read_units * USD_PER_MILLION_READ_UNITS / 1_000_000
    return f"${usd:.4f}" if usd >= 0.0001 else "less than $0.0001"
