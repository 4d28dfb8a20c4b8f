"""A batch keeps what it computed, whatever its materials and its scheduler do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aiida_ion.runners.output import RunnerError
from aiida_ion.runners.screening.batch import (
    RESULTS,
    Material,
    RefusedError,
    read_materials,
    read_records,
    run_batch,
)
from aiida_ion.screening.records import parse_records

ALWAYS = {"method": "test", "method_hash": "m", "mobile_species": "Li"}
#: A batch whose materials take as many seconds as their label says, and that tells when it begins one.
PROGRAM = """
import json, sys, time
from aiida_ion.runners.output import run_program
from aiida_ion.runners.screening.batch import Material, run_batch

def work(material):
    print(material.label, flush=True)
    end = time.monotonic() + float(material.label.partition("_")[2])
    while time.monotonic() < end:
        sum(range(1000))
    return {"barriers_eV": [0.1, 0.2, None]}

def body(results, ledger):
    labels, limits = json.loads(sys.argv[1])
    run_batch(results, [Material(label) for label in labels], work, {"method": "test"}, **limits)

sys.exit(run_program(body))
"""


def start(folder: Path, labels: list[str], **limits: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, json.dumps([labels, limits])]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begun(process: subprocess.Popen[str], label: str) -> None:
    """Wait until the batch has begun with a material."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == label:
            return
    raise AssertionError(f"{label} was never begun")


def test_hostile_materials_do_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def work(material: Material) -> dict[str, Any]:
        match material.label:
            case "refused":
                raise RefusedError("no charges\nfor Fe")
            case "broken":
                raise ZeroDivisionError("division by zero")
            case "large":
                raise MemoryError
            case "nan":
                return {"barriers_eV": [float("nan")] * 3}
        return {"barriers_eV": [0.1, 0.2, 0.3]}

    labels = ["first", "refused", "broken", "large", "nan", "last"]
    materials = [*map(Material, labels), Material("disordered", refusal="it is disordered")]
    results: dict[str, Any] = {}
    run_batch(results, materials, work, ALWAYS)
    records = read_records(RESULTS)
    assert {label: record["status"] for label, record in records.items()} == {
        "first": "finished",
        "refused": "refused",
        "broken": "failed",
        "large": "failed",
        "nan": "failed",
        "last": "finished",
        "disordered": "refused",
    }
    assert records["refused"]["message"] == "no charges for Fe"
    assert records["broken"]["message"] == "ZeroDivisionError: division by zero"
    assert records["large"]["message"].startswith("out of memory")
    assert records["refused"]["barriers_eV"] is None
    assert records["last"]["barriers_eV"] == [0.1, 0.2, 0.3]
    for record in records.values():
        assert ALWAYS.items() <= record.items()
        assert set(record["cost"]) == {"cpu_s", "wall_s"}
    assert results["status"] == "finished"
    assert (results["n_materials"], results["n_finished"], results["n_refused"], results["n_failed"]) == (7, 2, 2, 3)
    assert results["message"] == "7 of 7 materials: 2 finished, 2 refused, 3 failed"


def test_a_fault_of_all_materials_ends_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def work(material: Material) -> dict[str, Any]:
        raise RunnerError("checkpoint_missing", "there is no such file")

    with pytest.raises(RunnerError, match="no such file"):
        run_batch({}, [Material("a"), Material("b")], work, ALWAYS)
    assert read_records(RESULTS) == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_scheduler_that_ends_it_gets_whole_lines_and_the_reason(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, ["a_0", "b_0", "c_60", "d_0"])
    begun(process, "c_60")
    sent = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert time.monotonic() - sent < 20
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["status"] == "terminated"
    assert results["message"] == f"2 of 4 materials: 2 finished; stopped by {number.name}"
    assert list(read_records(tmp_path / RESULTS)) == ["a_0", "b_0"]


def test_a_kill_leaves_what_was_done_and_the_next_run_does_the_rest(tmp_path: Path) -> None:
    process = start(tmp_path, ["a_0", "b_0.01", "c_60"])
    begun(process, "c_60")
    process.kill()
    process.wait()
    assert not (tmp_path / "results.json").exists()
    with (tmp_path / RESULTS).open("a") as stream:
        stream.write('{"label": "c_60", "status": "fin')
    assert list(read_records(tmp_path / RESULTS)) == ["a_0", "b_0.01"]
    again = start(tmp_path, ["a_0", "b_0.01", "d_0"])
    begun_again = again.communicate(timeout=60)[0].split()
    assert begun_again == ["d_0"]
    assert list(read_records(tmp_path / RESULTS)) == ["a_0", "b_0.01", "d_0"]
    assert json.loads((tmp_path / "results.json").read_text())["status"] == "finished"


def test_the_wall_time_ends_the_batch_in_time(tmp_path: Path) -> None:
    process = start(tmp_path, ["a_0", "b_60", "c_0"], max_seconds=2.0)
    assert process.wait(timeout=40) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["status"] == "walltime"
    assert results["message"] == "1 of 3 materials: 1 finished; the wall time is over"
    assert results["cost"]["wall_time_s"] < 20


def test_a_material_that_takes_too_long_does_not_take_the_time_of_others(tmp_path: Path) -> None:
    process = start(tmp_path, ["a_0", "b_60", "c_0"], max_seconds_each=0.5)
    assert process.wait(timeout=40) == 0
    records = read_records(tmp_path / RESULTS)
    assert [record["status"] for record in records.values()] == ["finished", "failed", "finished"]
    assert records["b_60"]["message"] == "it needs more than 0.5 s"


def test_lines_that_are_not_records_are_left_out() -> None:
    whole = '{"label": "a", "status": "finished"}\n'
    assert set(parse_records(f"\n[1]\nnull\n{{}}\nnot json\n{whole}")) == {"a"}
    assert parse_records(whole.rstrip()) == {}


@pytest.mark.parametrize(
    ("structures", "fault"),
    [([], "there is none"), ([{"label": "a"}, {"label": "a"}], "more than one is called a"), ([{"name": "a"}], "name")],
)
def test_unreadable_lists_of_materials(structures: list[Any], fault: str) -> None:
    with pytest.raises(RunnerError, match=fault):
        read_materials({"structures": structures})


def test_a_material_as_objects() -> None:
    cell = [[3, 0, 0], [0, 3, 0], [0, 0, 3]]
    described = {"label": "a", "cell_A": cell, "symbols": ["Li"], "fractional": [[0, 0, 0.5]]}
    (material,) = read_materials({"structures": [described]})
    assert material.atoms().get_scaled_positions().tolist() == [[0, 0, 0.5]]
    assert material.structure().volume == pytest.approx(27.0)
