"""The programs of hops and kinetics as jobs start them; lithium oxide by the potential of the wheel."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.build import bulk
from pymatgen.core.structure import Structure

from aiida_ion.analysis.migration.hops import find_hops
from tests.conftest import engine_environment
from tests.runners.in_process import run_here

ROOT = Path(__file__).parents[3]


def write_inputs(folder: Path, atoms: Atoms, element: str, **inputs: Any) -> None:
    structure = Structure(atoms.cell.array, list(atoms.symbols), atoms.get_scaled_positions())
    network = find_hops(structure, element, multiples=(2, 2, 2))
    content = {"mobile_species": element, "network": network.to_dict(), **inputs}
    (folder / "inputs.json").write_text(json.dumps(content))
    crystal = {"numbers": atoms.numbers.tolist(), "positions": atoms.positions.tolist()}
    (folder / "structure.json").write_text(
        json.dumps(crystal | {"cell": atoms.cell.array.tolist(), "pbc": [True, True, True]})
    )


def run(folder: Path, program: str, python: Path | str = "") -> dict[str, Any]:
    if not python:
        assert run_here(f"migration.{program}", folder) == 0
        return read_results(folder)
    command = [str(python), "-m", f"aiida_ion.runners.migration.{program}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_results(folder)


def read_results(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return results


def records(folder: Path) -> dict[str, Any]:
    lines = (folder / "hops.jsonl").read_text().splitlines()
    return {record["label"]: record for record in map(json.loads, lines)}


def test_hops_are_written_one_line_each(tmp_path: Path) -> None:
    argon = {"name": "lj", "kwargs": {"sigma": 3.405, "epsilon": 0.01032, "rc": 8.5125}}
    atoms = bulk("Ar", "fcc", a=5.26, cubic=True)
    write_inputs(tmp_path, atoms, "Ar", potential=argon, hop_settings={"max_force_eV_A": 0.005})
    results = run(tmp_path, "hops")
    assert (results["status"], results["done"]) == ("finished", ["hop_01"])
    record = records(tmp_path)["hop_01"]
    assert record["verdict"] == "converged"
    assert (len(record["images"]), len(record["numbers"])) == (2, 31)
    assert results["host_energy_eV"] == pytest.approx(-0.33, abs=0.05)
    assert results["cost"]["n_steps"] == record["calls"]


def test_wall_time_that_is_over_and_bad_inputs_have_their_status(tmp_path: Path) -> None:
    atoms = bulk("Ar", "fcc", a=5.26, cubic=True)
    write_inputs(tmp_path, atoms, "Ar", potential={"name": "lj"}, max_seconds=0.0)
    results = run(tmp_path, "hops")
    assert (results["status"], results["done"]) == ("walltime", [])
    assert "0 of 1 hops" in results["message"]
    write_inputs(tmp_path, atoms, "Ar", potential={"name": "lj"}, labels=["hop_09"])
    assert run(tmp_path, "hops")["status"] == "invalid_input"
    write_inputs(tmp_path, atoms, "Ar", potential={"name": "lj"}, hop_settings={"n_images": 2})
    refused = run(tmp_path, "hops")
    assert refused["status"] == "invalid_input"
    assert "n_images must be" in refused["message"]


def test_kinetics_of_a_network(tmp_path: Path) -> None:
    network = {
        "sites_eV": [0.0, None],
        "saddles_eV": [0.2, None],
        "pairs": [[0, 0], [0, 1]],
        "vectors": [[1, 0, 0], [0, 0, 0]],
        "steps_A": [[3.0, 0.0, 0.0], [1.0, 1.0, 0.0]],
        "volume_A3": 50.0,
        "mechanism": "vacancy",
        "is_bound": True,
        "charge_e": 1.0,
    }
    transport = {"temperature_K": 400.0, "vacancy_concentration": 0.02, "n_copies": 8, "n_windows": 4}
    inputs = {"network": network, "transport": transport, "potential": {"threads": 1}}
    (tmp_path / "inputs.json").write_text(json.dumps(inputs))
    results = run(tmp_path, "kinetics")
    assert results["status"] == "finished", results["message"]
    kinetics = results["kinetics"]
    tensor = kinetics["carrier_tensor_cm2_s"]
    assert tensor[0][0] > 0
    assert kinetics["carrier_diffusivity_cm2_s"] == pytest.approx(tensor[0][0] / 3)
    assert [tensor[1][1], tensor[2][2], tensor[0][1]] == [0.0, 0.0, 0.0]
    assert kinetics["is_bound"]
    assert kinetics["kmc_concentration"] == pytest.approx(0.02, rel=0.2)
    network["saddles_eV"] = [None, None]
    (tmp_path / "inputs.json").write_text(json.dumps(inputs))
    refused = run(tmp_path, "kinetics")
    assert (refused["status"], "not one hop has a barrier" in refused["message"]) == ("invalid_input", True)


@pytest.mark.slow
def test_lithium_oxide_by_sevennet(tmp_path: Path) -> None:
    python = engine_environment("sevenn") / "bin" / "python"
    barriers = {}
    for path in ("auto", "band"):
        folder = tmp_path / path
        folder.mkdir()
        oxide = bulk("OLi2", "fluorite", a=4.619)
        write_inputs(folder, oxide, "Li", potential={"name": "sevenn"}, hop_settings={"path": path})
        assert run(folder, "hops", python)["status"] == "finished"
        barriers[path] = records(folder)["hop_01"]
    for record in barriers.values():
        assert record["verdict"] == "converged"
        assert record["forward_eV"] == pytest.approx(0.265, abs=0.005)
        assert record["reverse_eV"] == pytest.approx(record["forward_eV"], abs=1e-3)
    assert (barriers["auto"]["path"], barriers["band"]["path"]) == ("midpoint", "band")
    assert barriers["auto"]["residual_eV_A"] < 1e-3
    band = barriers["band"]
    of_ends = band["calls_first_end"] + band["calls_second_end"]
    # Three moving images, four steps of the solver and two energies for the curvature: one model, nothing asked twice.
    assert band["calls"] - of_ends <= 22
