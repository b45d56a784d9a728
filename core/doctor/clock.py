"""How far apart two clocks may be."""

from __future__ import annotations

from datetime import timedelta

from core.doctor.findings import Finding, bad, note, ok

# AWS refuses what was signed more than five minutes before or after its own time:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
REFUSED = timedelta(minutes=5)
NOTABLE = timedelta(seconds=5)
SET = "Set this machine's clock: sudo timedatectl set-ntp true"


def clock(check: str, ahead: timedelta | None) -> Finding:
    """What it means that this machine's clock is ``ahead`` of a server's."""
    if ahead is None:
        return note(check, "unknown: its replies carry no time")
    apart = abs(ahead)
    if apart < NOTABLE:
        return ok(check, "agrees with this machine's")
    told = (
        f"this machine's clock is {apart.total_seconds():,.0f} s"
        f" {'ahead of' if ahead > timedelta(0) else 'behind'} it"
    )
    if apart < REFUSED:
        return note(check, told, SET)
    return bad(check, f"{told}; from five minutes on AWS refuses what is signed", SET)
