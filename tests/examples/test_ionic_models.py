"""The set of ionic models: its materials, and two of them by the daemon as a user would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase.io import write

from aiida_ion.analysis.crystals.cell import perpendicular_widths
from aiida_ion.lammps.inputs import write_relax_input
from aiida_ion.lammps.outputs import read_relax
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.lammps.structure import write_data
from tests.conftest import ENGINES, engine_environment
from tests.lammps.conftest import run_lmp

EXAMPLES = Path(__file__).parents[2] / "examples"
BIN = Path(sys.executable).parent
N_LATTICES = 11
Draw = Callable[[int, int], Any]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Return the function that draws a material."""
    monkeypatch.syspath_prepend(EXAMPLES)
    import ionic_materials  # type: ignore[import-not-found]

    result: Draw = ionic_materials.draw
    return result


def test_materials_can_be_simulated(draw: Draw) -> None:
    materials = [draw(1, index) for index in range(4 * N_LATTICES)]
    assert len({material.lattice for material in materials}) == N_LATTICES
    assert len({material.potential["level_of_theory"] for material in materials}) == len(materials)
    for material in materials:
        atoms, charges = material.atoms, material.charges
        assert 50 <= len(atoms) <= 135 and set(charges) == set(atoms.symbols)
        assert min(perpendicular_widths(atoms.cell.array)) >= 10.0
        assert sum(charges[symbol] for symbol in atoms.symbols) == pytest.approx(0.0, abs=1e-9)
        assert charges["Li"] == 1.0 and 0.15 <= material.potential["charges"]["Li"] <= 1.0
        distances = atoms.get_all_distances(mic=True)
        assert distances[np.triu_indices(len(atoms), 1)].min() > 1.3
        load_potential(material.potential).require_neutral(list(atoms.symbols))


def test_a_material_depends_on_seed_and_number_alone(draw: Draw) -> None:
    first, again, other = draw(1, 5), draw(1, 5), draw(2, 5)
    assert first.numbers == again.numbers and first.potential == again.potential
    assert np.array_equal(first.atoms.positions, again.atoms.positions)
    assert first.numbers != other.numbers and first.lattice == other.lattice


@pytest.mark.parametrize("index", range(N_LATTICES))
def test_ions_find_a_minimum_beside_their_sites(draw: Draw, tmp_path: Path, index: int) -> None:
    engine_environment("lammps")
    material = draw(1, index)
    atoms, potential = material.atoms, load_potential(material.potential)
    symbols = list(atoms.symbols)
    (tmp_path / "structure.data").write_text(write_data(atoms.positions, atoms.cell.array, symbols, potential))
    (tmp_path / "relax.in").write_text(write_relax_input(symbols, potential, max_force_eV_A=0.02, max_steps=500))
    done = run_lmp(tmp_path, "relax.in")
    result = read_relax(tmp_path, atoms.cell.array, log=done.stdout, errors=done.stderr, max_force_eV_A=0.02)
    assert result["converged"], result["message"]
    framework = np.array(symbols) != "Li"
    moved = np.linalg.norm(result["final_positions"] - result["initial_positions"], axis=1)
    assert moved[framework].max() < 1.5


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that runs a command in a fresh home; the daemon is stopped at the end."""
    engine_environment("lammps")
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"AIIDA_PATH": str(home), "AIIDA_ION_ENGINES": str(ENGINES), "OMP_NUM_THREADS": "1"}

    def run(*words: str) -> str:
        done = subprocess.run([*words], env=environment, capture_output=True, text=True, cwd=home, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(str(BIN / "aiida-ion"), "setup", "--profile-name", "models")
    yield run
    # On a busy machine the daemon may need longer than the two seconds that verdi waits.
    stop = [str(BIN / "verdi"), "daemon", "stop"]
    assert any(subprocess.run(stop, env=environment, check=False).returncode == 0 for _ in range(10))


@pytest.mark.slow
def test_two_materials_by_the_daemon_and_once_only(command: Callable[..., str]) -> None:
    script = (sys.executable, str(EXAMPLES / "ionic_models.py"))
    size = (
        "--n-materials",
        "2",
        "--group",
        "few",
        "--first-time-ps",
        "5",
        "--max-time-ps",
        "5",
        "--equilibration-ps",
        "1",
    )
    text = command(*script, *size)
    assert "few: 2 materials, 2 fits" in text and "log10 of the slope" in text
    n_processes = command(str(BIN / "verdi"), "process", "list", "-a", "-r", "-P", "pk")
    # What the group holds is not computed again.
    assert "2 of 2 done" in command(*script, *size)
    assert command(str(BIN / "verdi"), "process", "list", "-a", "-r", "-P", "pk") == n_processes


@pytest.mark.slow
def test_from_models_to_the_prediction_of_a_crystal(command: Callable[..., str], draw: Draw, tmp_path: Path) -> None:
    """What `docs/how-to/surrogate.md` says, by the daemon: label, sample, train, predict."""
    engine_environment("surrogate")
    size = ("--n-materials", "4", "--group", "few", "--first-time-ps", "5", "--max-time-ps", "5")
    command(sys.executable, str(EXAMPLES / "ionic_models.py"), *size, "--equilibration-ps", "1")
    ion = str(BIN / "aiida-ion")
    chosen = ("--from-group", "few", "--allow-mixed", "level_of_theory")
    text = command(ion, "surrogate", "dataset", *chosen, "--sampling", '{"short_md_fs": 200.0}')
    dataset = re.search(r"Dataset (\d+): (\d) materials", text)
    assert dataset is not None and int(dataset[2]) >= 2, text
    # What was sampled is not sampled again.
    again = command(ion, "surrogate", "dataset", *chosen, "--sampling", '{"short_md_fs": 200.0}')
    assert f"{dataset[2]} of {dataset[2]} materials were sampled before" in again
    small = '{"n_epochs": 2, "pretraining_epochs": 1, "scalars": 4, "vectors": 2}'
    few = ("--folds", "2", "--settings", small, "--wait")
    text = command(ion, "surrogate", "train", dataset[1], "--protocol", "best", *few)
    assert "random_vectors" in text or "random vectors" in text
    training = re.search(r"Submitted the training: (\d+)", text)
    assert training is not None and "R2" in command(ion, "surrogate", "show", training[1])
    material = draw(9, 0)
    write(tmp_path / "crystal.cif", material.atoms)
    (tmp_path / "potential.yaml").write_text(yaml.safe_dump(material.potential))
    how = ("--engine", "lammps", "--potential", str(tmp_path / "potential.yaml"), "--mobile-species", "Li")
    charges = ",".join(f"{element}={charge:g}" for element, charge in material.charges.items())
    text = command(ion, "surrogate", "predict", training[1], str(tmp_path / "crystal.cif"), *how, "--charges", charges)
    assert material.atoms.get_chemical_formula(mode="reduce")[:2] in text and "mS/cm" in text


def test_the_dry_run_says_what_there_would_be() -> None:
    words = [sys.executable, str(EXAMPLES / "ionic_models.py"), "--dry-run", "--n-materials", "12"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert text.count("ionic model 1-") == 12 and "hours of one core" in text.splitlines()[-1]
    assert "antifluorite" in text and "charge_scale" in text
