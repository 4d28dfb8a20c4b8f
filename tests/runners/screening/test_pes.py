"""Surfaces by the model alone are those of the ASE calculator; a batch that is stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal
from pymatgen.core.structure import Structure

from aiida_ion.calculations.screening.pes import frozen_plan
from aiida_ion.settings.pes import PesSettings
from tests.runners.conftest import Folder, engine_python

MakeFolder = Callable[[str], Folder]
TOY = {"name": "lj", "kwargs": {"sigma": 1.9, "epsilon": 0.05, "rc": 5.0}}


def lithium_oxide() -> Atoms:
    return bulk("OLi2", "fluorite", a=4.62)


def silver_copper() -> Atoms:
    primitive: Atoms = crystal(["Ag", "Cu"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=221, cellpar=[3.2] * 3 + [90] * 3)
    return primitive


def write(folder: Folder, crystals: dict[str, Atoms], mobile: str, potential: dict[str, Any], **changes: Any) -> Folder:
    """Write the inputs of the program for crystals."""
    settings = PesSettings.from_dict({"mobile_species": mobile, "descriptors": False} | changes)
    structures, plans = [], {}
    for label, atoms in crystals.items():
        structure = Structure(atoms.cell.array, atoms.get_chemical_symbols(), atoms.get_scaled_positions())
        structures.append(
            {
                "label": label,
                "cell_A": atoms.cell.array.tolist(),
                "symbols": atoms.get_chemical_symbols(),
                "fractional": atoms.get_scaled_positions().tolist(),
            }
        )
        plans[label] = {"plan": frozen_plan(structure, mobile, settings).to_dict(), "mobile_species": mobile}
    inputs = {"potential": potential, "settings": settings.to_dict(), "structures": structures, "plans": plans}
    (folder.path / "inputs.json").write_text(json.dumps(inputs))
    return folder


def records(folder: Folder) -> dict[str, dict[str, Any]]:
    lines = (folder.path / "results.jsonl").read_text().splitlines()
    return {record["label"]: record for record in map(json.loads, lines)}


@pytest.mark.parametrize(
    ("engine", "bare"),
    [
        ("sevenn", {"model": "sevenn.calculator:SevenNetCalculator", "kwargs": {"device": "cpu"}}),
        pytest.param(
            "chgnet",
            {"model": "chgnet.model.dynamics:CHGNetCalculator", "kwargs": {"use_device": "cpu"}},
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.slow
def test_energies_alone_are_those_of_the_calculator(make_folder: MakeFolder, engine: str, bare: dict[str, Any]) -> None:
    crystals = {"a": lithium_oxide(), "b": lithium_oxide()}
    crystals["b"].set_cell(crystals["b"].cell * 1.02, scale_atoms=True)
    settings = {"others": "kept", "step_A": 0.7}
    alone = write(make_folder("alone"), crystals, "Li", {"name": engine}, **settings)
    results = alone.run("screening.pes", engine_python(engine))
    assert (results["status"], results["evaluated_by"]) == ("finished", "model_without_forces"), results["message"]
    assert results["warnings"] == []
    whole = write(make_folder("whole"), crystals, "Li", {"name": "import"} | bare, **settings)
    assert whole.run("screening.pes", engine_python(engine))["evaluated_by"] == "ase_calculator"
    for label, record in records(alone).items():
        assert record["barriers_eV"] == pytest.approx(records(whole)[label]["barriers_eV"], abs=1e-4)
        assert record["maps"][0]["highest_eV"] == pytest.approx(
            records(whole)[label]["maps"][0]["highest_eV"], abs=1e-4
        )


@pytest.mark.slow
def test_energies_alone_by_mace(make_folder: MakeFolder, tiny_mace: Path) -> None:
    trusted = [hashlib.sha256(tiny_mace.read_bytes()).hexdigest()]
    potential = {"name": "mace", "checkpoint_file": "tiny.model", "dtype": "float64", "trusted_sha256": trusted}
    kwargs = {"model_paths": str(tiny_mace), "device": "cpu", "default_dtype": "float64"}
    bare = {"name": "import", "model": "mace.calculators:MACECalculator", "kwargs": kwargs, "trusted_sha256": trusted}
    python = engine_python("mace")
    folders = []
    for name, chosen in (("alone", potential), ("whole", bare)):
        folder = write(make_folder(name), {"a": silver_copper()}, "Cu", chosen, step_A=0.8)
        shutil.copy(tiny_mace, folder.path / "tiny.model")
        results = folder.run("screening.pes", python)
        assert results["status"] == "finished", results["message"]
        folders.append((results["evaluated_by"], records(folder)["a"]))
    (first_by, alone), (other_by, whole) = folders
    assert (first_by, other_by) == ("model_without_forces", "ase_calculator")
    assert alone["status"] == "finished", alone["message"]
    assert alone["maps"][0]["highest_eV"] == pytest.approx(whole["maps"][0]["highest_eV"], abs=1e-9)


@pytest.mark.slow
def test_a_killed_batch_goes_on_where_it_was(make_folder: MakeFolder) -> None:
    """Records of crystals that are done stay as they are, and the others are what a whole run gives."""
    shaken = {}
    for seed in range(4):
        atoms = lithium_oxide().repeat((2, 1, 1))
        atoms.rattle(0.05, seed=seed)  # without symmetry
        shaken[f"m_{seed}"] = atoms
    whole = write(make_folder("whole"), shaken, "Li", TOY, step_A=0.8)
    assert whole.run("screening.pes")["status"] == "finished"
    folder = write(make_folder("killed"), shaken, "Li", TOY, step_A=0.8)
    process = folder.start("screening.pes")
    path, end = folder.path / "results.jsonl", time.monotonic() + 120
    while not (path.exists() and path.read_text().count("\n") >= 2) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = path.read_text().rpartition("\n")[0].splitlines()
    assert 2 <= len(before) <= 4
    assert folder.run("screening.pes")["status"] == "finished"
    assert path.read_text().splitlines()[: len(before)] == before
    ours, theirs = records(folder), records(whole)
    assert set(ours) == set(shaken)
    for label, record in ours.items():
        assert record["barriers_eV"] == pytest.approx(theirs[label]["barriers_eV"], abs=1e-9)


def test_holes_near_atoms_are_told_apart(make_folder: MakeFolder) -> None:
    folder = write(make_folder("near"), {"a": lithium_oxide()}, "Li", TOY, step_A=0.6, exclusion_A=0.9)
    assert folder.run("screening.pes")["status"] == "finished"
    assert any("outside of what potentials are trained on" in one for one in records(folder)["a"]["caveats"])
    assert np.isfinite(records(folder)["a"]["maps"][0]["highest_eV"])
