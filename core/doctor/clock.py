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
    """The finding for a machine whose clock is ``ahead`` of a server's."""
    if ahead is None:
        return note(check, "Unknown: its replies have no time")
    apart = abs(ahead)
    if apart < NOTABLE:
        return ok(check, "Agrees with this machine's clock")
    difference = (
        f"This machine's clock is {apart.total_seconds():,.0f} s"
        f" {'ahead of' if ahead > timedelta(0) else 'behind'} it"
    )
    if apart < REFUSED:
        return note(check, difference, SET)
    return bad(check, f"{difference}: from five minutes on, AWS refuses signed requests", SET)
