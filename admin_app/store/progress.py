"""A job on a page: its progress, a button that stops it, and what it has consumed."""

from __future__ import annotations

import streamlit as st

from admin_app import layout, login, resources, tables
from admin_app.store.jobs import Job, Work

_LOOK_EVERY_S = 1.0
_QUICK_S = 0.5
"""A job that ends within this time is shown without a progress bar."""


def button(
    label: str,
    name: str,
    work: Work,
    *,
    expected: int = 0,
    icon: str | None = None,
    can_stop: bool = True,
) -> None:
    """Show a button that does ``work`` once, however often it is pressed."""
    serial = resources.jobs().serial(name)
    st.button(
        label,
        key=f"{name} {serial}",  # each job has its own button, so a late second click does nothing
        icon=icon,
        on_click=_pressed,
        args=(label, name, serial, work, expected, can_stop),
    )


@login.action
def _pressed(title: str, name: str, serial: int, work: Work, expected: int, can_stop: bool) -> None:
    start(Job(name, title, login.person(), expected, can_stop=can_stop), serial, work)


def start(job: Job, serial: int, work: Work) -> bool:
    """Start the job for the page drawn at ``serial``; wait briefly, because it may be quick.

    Returns whether it was started; see :meth:`~admin_app.store.jobs.Jobs.start`.
    """
    is_started = resources.jobs().start(job, serial, work)
    if is_started:
        job.wait(_QUICK_S)
    return is_started


def outcome(name: str) -> object:
    """The result of the latest job of that name, once it has one.

    Until then, show its progress or its problem.
    """
    job = resources.jobs().latest(name)
    if job is None:
        return None
    if job.is_running:
        _watch(name)
        return None
    if job.problem is not None:
        layout.show_problem(job.problem)
        return None
    st.caption(
        f"{layout.escaped(job.title)}: {layout.exact(job.finished_at)},"
        f" by {layout.escaped(job.who)}, in {tables.duration(job.took)}{_consumed(job)}"
    )
    return job.result


def _consumed(job: Job) -> str:
    """The total cost, as in the list of consumed capacity."""
    units = ((job.capacity.read_units, "RCU"), (job.capacity.write_units, "WCU"))
    return "".join(f", {amount:,g} {unit}" for amount, unit in units if amount)


@st.fragment(run_every=_LOOK_EVERY_S)
@login.required
def _watch(name: str) -> None:
    """Show the running job; redraw the page when it has ended."""
    job = resources.jobs().latest(name)
    if job is None or not job.is_running:
        st.rerun()
    st.progress(_share(job), text=f"{layout.escaped(job.title)}: {_how_far(job)}")
    if job.can_stop:
        st.button("Stop", key=f"stop {name}", on_click=login.action(job.stop))


def _share(job: Job) -> float:
    """The finished part; never 100 %, because the table may have grown."""
    return min(job.seen / job.expected, 0.99) if job.expected else 0.0


def _how_far(job: Job) -> str:
    total = f" of about {job.expected:,}" if job.expected else ""
    return f"{job.seen:,}{total} items, {tables.duration(job.took)}"


def show_consumed() -> None:
    """Show what this server's jobs have consumed, one by one and together."""
    jobs = list(resources.jobs().history)
    if not jobs:
        st.caption("None yet: descriptions use no capacity.")
        return
    tables.table(
        ("What", "When (UTC)", "Took", "RCU", "WCU", "Requests"),
        [
            (
                job.title,
                f"{job.started_at:%-d %b %H:%M}",
                "running" if job.is_running else tables.duration(job.took),
                f"{job.capacity.read_units:,g}",
                f"{job.capacity.write_units:,g}",
                f"{job.capacity.requests:,}",
            )
            for job in reversed(jobs)
        ],
    )
    reads = sum(job.capacity.read_units for job in jobs)
    writes = sum(job.capacity.write_units for job in jobs)
    st.caption(f"Together {reads:,g} RCU and {writes:,g} WCU, as the engine reported them.")
