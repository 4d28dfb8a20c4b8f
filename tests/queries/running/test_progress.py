"""How far a job is comes from the end of its log, once for all readers, and is a number that can be."""

from __future__ import annotations

import json
import os
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiida import orm

from aiida_ion.queries.running import progress as module
from aiida_ion.queries.running.log_tails import RemoteFile
from aiida_ion.queries.running.processes import process_table
from aiida_ion.queries.running.progress import Progress, read_job_progress
from tests.queries.nodes import given, job

MIB = 2**20


@pytest.fixture
def aiida_profile_clean(aiida_profile: Any) -> Any:
    """One database is enough: nothing here asks it much."""
    aiida_profile.reset_storage()
    return aiida_profile


def running_job(computer: orm.Computer, kind: str, folder: Path, **settings: Any) -> dict[str, Any]:
    """Store a job that runs in a folder; return its row in the table of processes."""
    computer.configure(safe_interval=0.0)
    computer.set_minimum_job_poll_interval(0)
    node = job(kind, state="waiting", computer=computer)
    node.set_remote_workdir(str(folder))
    given(node, parameters=orm.Dict({"n_steps": 1000, **settings})).store()
    return dict(process_table().set_index("pk", drop=False).loc[node.pk])


def lammps_log(path: Path, size: int, last_step: int) -> None:
    """Write a log of LAMMPS of about this many bytes, of which only the last row tells how far it is."""
    row = b"       1   300.0   -1.5\n"
    with path.open("wb") as stream:
        for _ in range(size // MIB):
            stream.write(row * (MIB // len(row)))
        stream.write(f"     {last_step}   301.0   -1.5\n".encode())


def test_a_long_log_is_not_read_into_memory(
    aiida_profile_clean: Any, aiida_localhost: orm.Computer, tmp_path: Path
) -> None:
    row = running_job(aiida_localhost, "ion.lammps_md", tmp_path)
    lammps_log(tmp_path / "log.lammps", 64 * MIB, 250)
    read_job_progress(row)
    tracemalloc.start()
    try:
        result = read_job_progress(row)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result is not None
    assert (result.step, result.n_steps) == (250, 1000)
    assert peak < 8 * MIB


@pytest.mark.parametrize("is_here", [True, False], ids=["by its path", "by its transport"])
def test_both_ways_to_the_end_of_a_file_agree(aiida_localhost: orm.Computer, tmp_path: Path, is_here: bool) -> None:
    folder = tmp_path / 'it\'s a $(folder); "odd" one'
    folder.mkdir()
    path = folder / "log"
    path.write_bytes(b"x" * 100_000 + b"\n</calculation>\n\xff\xe9 half\n</calculation>\nlast\n")
    with aiida_localhost.get_transport() as transport:
        log = RemoteFile(transport, str(path))
        log._is_here = is_here
        assert log.tail(60).endswith("</calculation>\nlast\n")
        assert "xxx" not in log.tail(60)
        assert log.count(b"</calculation>") == 2
        with path.open("ab") as stream:
            stream.write(b"</calculation>\n")
        assert log.count(b"</calculation>") == 3
        with pytest.raises(OSError, match=r"."):
            RemoteFile(transport, str(folder / "none"))


def test_a_step_of_pw_that_fills_the_tail_is_still_found(
    aiida_profile_clean: Any, aiida_localhost: orm.Computer, tmp_path: Path
) -> None:
    row = running_job(aiida_localhost, "ion.quantumespresso_md", tmp_path)
    step = "     Entering Dynamics:    iteration =    {}\n" + "   0.1234 " * 30_000 + "\n"
    (tmp_path / "md.out").write_text("".join(step.format(number) for number in (1, 2, 3, 4)))
    result = read_job_progress(row)
    assert result is not None
    assert result.step == 3


def test_vasp_is_counted_as_it_grows(aiida_profile_clean: Any, aiida_localhost: orm.Computer, tmp_path: Path) -> None:
    row = running_job(aiida_localhost, "ion.vasp_md", tmp_path)
    step = "<calculation>\n" + "<v>1 2 3</v>\n" * 1000 + "</calculation>\n"
    (tmp_path / "vasprun.xml").write_text(step * 5)
    assert getattr(read_job_progress(row), "step", None) == 4
    with (tmp_path / "vasprun.xml").open("a") as stream:
        stream.write(step * 2 + "<calculation>\n</calc")
    assert getattr(read_job_progress(row), "step", None) == 6
    (tmp_path / "vasprun.xml").write_text(step)  # begun anew
    assert getattr(read_job_progress(row), "step", None) == 0


def test_all_readers_share_what_was_read(
    aiida_profile_clean: Any, aiida_localhost: orm.Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = running_job(aiida_localhost, "ion.mlip_md", tmp_path)
    aiida_localhost.set_minimum_job_poll_interval(60)
    asked: list[str] = []
    real = module._read

    def slow(kind: str, path: str, node: Any, transport: Any) -> Progress | None:
        asked.append(path)
        time.sleep(0.05)
        return real(kind, path, node, transport)

    monkeypatch.setattr(module, "_read", slow)
    (tmp_path / "progress.json").write_text(json.dumps({"step": 1, "n_steps": 10}))
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(read_job_progress(row))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [Progress(1, 10)] * 8
    assert len(asked) == 1
    (tmp_path / "progress.json").write_text(json.dumps({"step": 2, "n_steps": 10}))
    assert read_job_progress(row) == Progress(1, 10)  # its computer is asked once a minute
    aiida_localhost.set_minimum_job_poll_interval(0)
    assert read_job_progress(row) == Progress(2, 10)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"step": -3, "n_steps": 10, "steps_per_s": -1, "seconds_left": -5}, "step 0 of 10 (0 %), 0 s left"),
        ({"step": 40, "n_steps": 10, "seconds_left": 3}, "step 10 of 10 (100 %), 0 s left"),
        ({"step": 3, "n_steps": 60, "steps_per_s": 0.1, "unit": "epoch"}, "epoch 3 of 60 (5 %), 0.1 epochs/s"),
        ({"step": 3, "n_steps": 60, "unit": "<script>"}, "step 3 of 60 (5 %)"),
        ({"step": 1, "n_steps": 10, "seconds_left": 1e23, "steps_per_s": 1e-30}, "step 1 of 10 (10 %), 1e-30 steps/s"),
        ({"step": 1, "n_steps": 10, "seconds_left": "soon"}, "step 1 of 10 (10 %)"),
        ({"step": [], "n_steps": 10}, "None"),
        ({"step": 1e30, "n_steps": 0}, "step 0 of 0 (), 0 s left"),
    ],
)
def test_what_is_shown_can_be(
    aiida_profile_clean: Any, aiida_localhost: orm.Computer, tmp_path: Path, said: dict[str, Any], shown: str
) -> None:
    row = running_job(aiida_localhost, "ion.mlip_md", tmp_path)
    (tmp_path / "progress.json").write_text(json.dumps(said))
    assert str(read_job_progress(row)) == shown


def test_a_dead_job_has_no_time_left(aiida_profile_clean: Any, aiida_localhost: orm.Computer, tmp_path: Path) -> None:
    row = running_job(aiida_localhost, "ion.mlip_md", tmp_path)
    path = tmp_path / "progress.json"
    path.write_text(json.dumps({"step": 9, "n_steps": 10, "steps_per_s": 2, "seconds_left": 0.49}))
    assert "0.49 s left" in str(read_job_progress(row))
    died = (datetime.now(UTC) - timedelta(hours=3)).timestamp()
    os.utime(path, (died, died))
    assert str(read_job_progress(row)) == "step 9 of 10 (90 %), nothing written for 3.0 h"
