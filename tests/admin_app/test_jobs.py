"""Work in the background: once, watched, stopped, and never lost with an error."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from admin_app.store.jobs import MOST_REMEMBERED, Job, Jobs
from core.dynamodb.table import ConsumedCapacity
from core.errors import InputError


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    jobs.stop_all()


def job(name: str = "verify") -> Job:
    return Job(name, "Verify", "somebody", ConsumedCapacity())


def work_until_stopped(job: Job) -> str:
    seen = 0
    while job.go_on(seen):
        seen += 1
    return "stopped"


def test_the_result_exists_when_the_job_has_ended(jobs) -> None:
    begun = job()
    jobs.start(begun, 0, lambda _: 42)
    assert begun.wait(5)
    assert (jobs.latest("verify"), begun.result, begun.is_running) == (begun, 42, False)
    assert begun.took == begun.finished_at - begun.started_at


def test_many_clicks_on_one_button_start_one_job(jobs) -> None:
    ran: list[int] = []
    start = threading.Barrier(8)

    def click(n: int) -> None:
        start.wait()
        jobs.start(job(), 0, lambda _: ran.append(n))

    clicks = [threading.Thread(target=click, args=(n,)) for n in range(8)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert jobs.latest("verify").wait(5)
    jobs.start(job(), 0, lambda _: ran.append(99))  # a late click on the same button
    assert jobs.latest("verify").wait(5)
    assert (len(ran), jobs.serial("verify")) == (1, 1)


def test_no_second_job_of_a_name_starts_while_one_runs(jobs) -> None:
    first, second = job(), job()
    jobs.start(first, 0, work_until_stopped)
    jobs.start(second, 1, lambda _: None)
    assert jobs.latest("verify") is first
    first.stop()
    assert first.wait(5)
    jobs.start(second, 1, lambda _: None)
    assert jobs.latest("verify") is second


def test_jobs_of_other_names_run_side_by_side(jobs) -> None:
    jobs.start(job("verify"), 0, work_until_stopped)
    other = job("count")
    jobs.start(other, 0, lambda _: "counted")
    assert other.wait(5)
    assert jobs.latest("verify").is_running


def test_a_stopped_job_returns_its_partial_result(jobs) -> None:
    begun = job()
    jobs.start(begun, 0, work_until_stopped)
    while not begun.seen:
        pass
    begun.stop()
    assert begun.wait(5)
    assert begun.result == "stopped"


def test_a_problem_is_kept_for_the_page(jobs) -> None:
    def fail(_: Job) -> None:
        raise InputError("no such thing", "Try another.")

    begun = job()
    jobs.start(begun, 0, fail)
    assert begun.wait(5)
    assert begun.problem.problem == "no such thing"


def test_an_error_in_a_job_is_logged_and_shown(jobs, caplog) -> None:
    begun = job()
    with caplog.at_level(logging.ERROR):
        jobs.start(begun, 0, lambda _: 1 / 0)
        assert begun.wait(5)
    assert "log on stderr" in str(begun.problem)
    assert "ZeroDivisionError" in caplog.text


def test_a_server_remembers_a_few_jobs(jobs) -> None:
    for serial in range(MOST_REMEMBERED + 5):
        begun = job()
        jobs.start(begun, serial, lambda _: None)
        assert begun.wait(5)
    assert len(jobs.history) == MOST_REMEMBERED


def test_a_server_that_ends_stops_its_jobs() -> None:
    jobs = Jobs()
    begun = job()
    jobs.start(begun, 0, work_until_stopped)
    jobs.stop_all()
    assert not begun.is_running
