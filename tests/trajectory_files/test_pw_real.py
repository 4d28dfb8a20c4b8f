"""What pw.x itself writes in other units, with labels of its own, held atoms, thermostats, restarts and a hybrid."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import units

from aiida_ion.dft.pw.input import md_namelists
from aiida_ion.dft.pw.md_output import md_run
from aiida_ion.dft.pw.output import read_output
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from aiida_ion.trajectory_files.dft_output import DftOutput
from aiida_ion.trajectory_files.pw.read import read_pw
from tests.dft.pw.outputs import ATOMS, MASSES, SYMBOLS, input_text, run_pw, with_namelists
from tests.quantumespresso_fixtures import PSEUDO_FOLDER, pseudo_paths, pw_executable

SETTINGS = MdSettings(temperature_K=900.0, timestep_fs=1.0, n_steps=3, ensemble="nve")
VELOCITIES = starting_velocities(MASSES, 900.0, 1)
ALAT_A = float(np.linalg.norm(ATOMS.cell[0]))
CARDS = {
    "crystal": ATOMS.get_scaled_positions(wrap=False),
    "bohr": ATOMS.positions / units.Bohr,
    "alat": ATOMS.positions / ALAT_A,
}


def pw_text(**change: Any) -> str:
    (namelists,) = md_namelists(with_namelists(), SETTINGS, len(ATOMS), 0, None)
    for name, content in change.items():
        namelists[name] |= content
    return input_text(namelists, VELOCITIES)


def with_positions(text: str, unit: str, rows: Any, flags: tuple[str, ...] = ("", "", "")) -> str:
    """Return an input whose card of positions is another one."""
    lines = [
        f"{label} {x:.14f} {y:.14f} {z:.14f} {flag}\n"
        for label, (x, y, z), flag in zip(SYMBOLS, rows, flags, strict=True)
    ]
    card = f"ATOMIC_POSITIONS {unit}\n{''.join(lines)}ATOMIC_VELOCITIES"
    return re.sub(r"ATOMIC_POSITIONS.*?ATOMIC_VELOCITIES", card, text, flags=re.DOTALL)


def ran(folder: Path, text: str, name: str = "md") -> Path:
    pw_executable()
    pseudo_paths()
    run_pw(folder, name, text)
    (folder / f"{name}.in").unlink()
    return folder / f"{name}.out"


#: The pseudopotentials of the other tests are ultrasoft, with which pw.x has no hybrids.
SILICON = """&CONTROL
 calculation = 'md', dt = 20, nstep = 2, pseudo_dir = '{folder}', outdir = 'out'
/
&SYSTEM
 ibrav = 0, nat = 2, ntyp = 1, ecutwfc = 8, nosym = .true., input_dft = 'pbe0', x_gamma_extrapolation = .true.
/
&ELECTRONS
 conv_thr = 1e-6
/
&IONS
/
ATOMIC_SPECIES
Si 28.0 Si.pz-vbc.UPF
ATOMIC_POSITIONS angstrom
Si 0.0 0.0 0.0
Si 1.4 1.35 1.35
K_POINTS gamma
CELL_PARAMETERS angstrom
0.0 2.715 2.715
2.715 0.0 2.715
2.715 2.715 0.0
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> DftOutput:
    """Return three steps with positions in angstrom."""
    return read_pw(ran(tmp_path_factory.mktemp("plain"), pw_text()))


@pytest.mark.parametrize("unit", CARDS)
def test_the_same_run_in_every_unit(plain: DftOutput, tmp_path: Path, unit: str) -> None:
    result = read_pw(ran(tmp_path, with_positions(pw_text(), unit, CARDS[unit])))
    assert result.facts["length_unit"] == ("cell vectors" if unit == "crystal" else unit)
    assert result.steps.positions == pytest.approx(plain.steps.positions, abs=1e-4)
    assert np.abs(np.diff(result.steps.positions, axis=0)).max() > 5e-3, "the atoms move"
    assert result.steps.forces == pytest.approx(plain.steps.forces, abs=1e-3)


def test_labels_and_masses_as_pw_writes_them(plain: DftOutput, tmp_path: Path) -> None:
    text = re.sub(r"^Li ", "LI1 ", pw_text(), flags=re.MULTILINE)
    text = re.sub(r"^O ", "o_a ", text, flags=re.MULTILINE)
    result = read_pw(ran(tmp_path, text.replace("LI1 6.94 ", "LI1 7.016 ")))
    assert result.symbols == SYMBOLS
    assert result.masses == pytest.approx([7.016 if symbol == "Li" else 15.999 for symbol in SYMBOLS])
    assert result.remarks == ["Its species LI1 has a mass of 7.016 g/mol, and Li has 6.94."]


def test_held_atoms(tmp_path: Path) -> None:
    # From given velocities pw.x moves what it was told to hold.
    drawn = pw_text(IONS={"ion_velocities": "default", "ion_temperature": "initial", "tempw": 500.0})
    text = with_positions(drawn, "angstrom", ATOMS.positions, ("0 0 0", "1 1 0", "1 1 1"))
    result = read_pw(ran(tmp_path, text))
    assert result.facts["frozen_atoms"] == 1
    assert result.facts["degrees_of_freedom"] == 5
    temperatures = 2 * result.steps.kinetic_energy_eV / (5 * units.kB)
    assert result.steps.temperature_K == pytest.approx(temperatures, rel=1e-4)
    assert np.ptp(result.steps.positions[:, 0], axis=0).max() < 1e-6


@pytest.mark.parametrize(
    ("ions", "thermostat", "target"),
    [
        ({"ion_temperature": "svr", "nraise": 10}, "stochastic velocity rescaling", 500.0),
        ({"ion_temperature": "initial"}, None, None),
        ({"ion_temperature": "reduce-T", "delta_t": -10.0, "nraise": 1}, "velocity rescaling (reduce-T)", None),
    ],
)
def test_a_target_only_where_something_holds_it(
    tmp_path: Path, ions: dict[str, Any], thermostat: str | None, target: float | None
) -> None:
    text = pw_text(IONS={"ion_velocities": "default", "tempw": 500.0} | ions)
    facts = read_pw(ran(tmp_path, text)).facts
    assert facts.get("thermostat") == thermostat
    assert facts.get("target_temperature_K") == target


@pytest.mark.parametrize(
    ("calculation", "dynamics", "words"),
    [
        ("relax", "bfgs", "it is a relaxation"),
        ("md", "langevin", "over-damped Langevin"),
        ("vc-md", "beeman", "its cell changes"),
    ],
)
def test_other_kinds_of_runs(tmp_path: Path, calculation: str, dynamics: str, words: str) -> None:
    text = pw_text(CONTROL={"calculation": calculation}, IONS={"ion_dynamics": dynamics, "ion_velocities": "default"})
    text = re.sub(r"ATOMIC_VELOCITIES\n(.*\n){3}", "", text)
    if calculation == "vc-md":
        text = text.replace("ATOMIC_SPECIES", "&CELL\n  cell_dynamics = 'pr'\n/\nATOMIC_SPECIES")
    with pytest.raises(ValueError, match=words):
        read_pw(ran(tmp_path, text))


def test_a_restart_goes_on_from_where_it_was_and_not_from_its_input(plain: DftOutput, tmp_path: Path) -> None:
    first = ran(tmp_path, pw_text(CONTROL={"nstep": 1}))
    shutil.copy(first, tmp_path / "first.out")
    second = ran(tmp_path, pw_text(CONTROL={"nstep": 3, "restart_mode": "restart"}))
    alone = read_pw(second)
    assert alone.steps.first_step == 2
    assert alone.steps.positions == pytest.approx(plain.steps.positions[2:], abs=1e-4)
    both = tmp_path / "both.out"
    both.write_text((tmp_path / "first.out").read_text() + second.read_text())
    result = read_pw(both)
    assert result.steps.positions == pytest.approx(plain.steps.positions, abs=1e-4)
    assert result.remarks == []


def test_a_hybrid_functional_in_a_job_of_ours(tmp_path: Path) -> None:
    """Each step prints an energy for every outer iteration; the last, with `!!`, belongs to the forces."""
    path = ran(tmp_path, SILICON.format(folder=PSEUDO_FOLDER))
    printed = path.read_text()
    assert printed.count("\n!") > 4
    run = md_run(
        [read_output(path, 2)],
        [""],
        start_positions=np.array([[0.0, 0.0, 0.0], [1.4, 1.35, 1.35]]),
        cell=2.715 * (1 - np.eye(3)),
        first_step=0,
        n_steps=1,
        constant_energy=True,
    )
    assert run.status == "finished", run.message
    assert run.steps is not None
    energies = [float(text) for text in re.findall(r"^!!\s+total energy\s+=\s+(\S+) Ry", printed, re.MULTILINE)]
    assert run.steps.potential_energy_eV / units.Ry == pytest.approx(energies)
    assert run.versions["functional"] == "PBE0"
