"""How many crystals run in parallel, and queues that are followed, found again and killed."""

from __future__ import annotations

import pytest
from aiida import orm

from aiida_ion.campaigns import queueing
from aiida_ion.campaigns.queueing import crystals_at_once, held_by_daemon, job_slots
from aiida_ion.places.limits import Limits, set_limits


def test_a_computer_is_kept_busy_and_one_more(aiida_profile_clean: object, aiida_localhost: orm.Computer) -> None:
    set_limits(aiida_localhost, {"cores": 8})
    assert crystals_at_once(aiida_localhost, cores=1, runs=3) == 4
    assert crystals_at_once(aiida_localhost, cores=4, runs=3) == 2
    assert crystals_at_once(aiida_localhost, cores=16, runs=1) == 2
    assert crystals_at_once(aiida_localhost, cores=1, runs=3, max_jobs=3) == 2
    set_limits(aiida_localhost, {"cores": None, "jobs": None})
    assert crystals_at_once(aiida_localhost, cores=1, runs=3) == held_by_daemon(3)


def test_the_daemon_has_slots_for_parents_and_children(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"daemon.worker_process_slots": 200, "daemon.default_workers": 2}
    monkeypatch.setattr(queueing, "get_config_option", options.get)
    assert held_by_daemon(3) == 40
    assert held_by_daemon(3) * (1 + 2 * 3) <= 0.7 * 200 * 2
    assert held_by_daemon(1000) == 1


def test_jobs_that_run_at_a_time() -> None:
    assert job_slots(Limits(), 1, None) is None
    assert job_slots(Limits(cores=8, jobs=5), 2, None) == 4
    assert job_slots(Limits(cores=8), 2, 1) == 1
