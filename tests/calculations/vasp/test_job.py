"""What the VASP jobs refuse, and what they write: checked without running anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.common.folders import Folder
from ase import Atoms

from aiida_ion.calculations.vasp.md import VaspMdCalculation
from aiida_ion.calculations.vasp.relax import VaspRelaxCalculation

SETTINGS = {"temperature_K": 500.0, "timestep_fs": 1.0, "n_steps": 20, "ensemble": "nve", "seed": 2}

Problem = Callable[..., str | None]

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


@pytest.fixture
def problem(lithium_oxide: orm.StructureData, vasp_engine: dict[str, Any]) -> Problem:
    """Return a function: what the MD job says of its inputs, some of them changed."""

    def ask(**change: Any) -> str | None:
        inputs = {"structure": lithium_oxide, "parameters": orm.Dict(SETTINGS), **vasp_engine, **change}
        inputs = {name: value for name, value in inputs.items() if value is not None}
        result = VaspMdCalculation.spec().inputs.validate(inputs)
        return None if result is None else str(result.message)

    return ask


def tags_with(engine: dict[str, Any], **change: Any) -> orm.Dict:
    return orm.Dict(engine["incar"].get_dict() | change)


def test_tags_that_are_not_the_users(problem: Problem, vasp_engine: dict[str, Any]) -> None:
    assert problem() is None
    for tags, words in (
        ({"nsw": 5, "potim": 1.0}, "nsw, potim cannot be set here: the settings of the run"),
        ({"kspacing": 0.5}, "kspacing cannot be set here"),
        ({"encutt": 500}, "VASP knows no tag encutt"),
        ({"EDIFF": 1e-6}, "write tags in lower case: EDIFF"),
        ({"encut": None}, "give `encut`, eV"),
        ({"magmom": [1.0]}, "magmom must be a list of 3 numbers"),
        ({"magmom": "3*1.0"}, "magmom must be a list of 3 numbers"),
    ):
        text = problem(incar=tags_with(vasp_engine, **tags))
        assert text is not None
        assert words in text


def test_potentials_have_to_fit(problem: Problem, vasp_engine: dict[str, Any]) -> None:
    lithium, oxygen = vasp_engine["potential"]["Li"], vasp_engine["potential"]["O"]
    for potential, words in (
        ({"Li": lithium}, "`potential` has no POTCAR for O"),
        ({"Li": oxygen, "O": oxygen}, "the potential of Li is of O (PAW_PBE O 08Apr2002), not of Li"),
    ):
        text = problem(potential=potential)
        assert text is not None
        assert words in text


def test_a_potential_without_its_file_is_named(problem: Problem, vasp_engine: dict[str, Any]) -> None:
    """An archive of another group holds what identifies a POTCAR, and not the licensed file."""
    from aiida_vasp.data.potcar import PotcarData

    foreign = PotcarData()
    for name, value in vasp_engine["potential"]["Li"].base.attributes.all.items():
        foreign.base.attributes.set(name, value)
    foreign.base.attributes.set("sha512", "0" * 128)
    text = problem(potential=vasp_engine["potential"] | {"Li": foreign})
    assert text is not None
    assert "the file of PAW_PBE Li_sv 10Sep2004 (Li) is not in this profile" in text
    assert "aiida-vasp potcar uploadfamily" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ensemble": "npt"}, "npt is not available with DFT"),
        ({"n_steps": 0}, "n_steps must be a whole number from 1 to 1,000,000,000, got 0"),
    ],
)
def test_settings_that_vasp_cannot_run(problem: Problem, change: dict[str, Any], words: str) -> None:
    text = problem(parameters=orm.Dict(SETTINGS | change))
    assert text is not None
    assert words in text


def test_states_of_other_engines(problem: Problem) -> None:
    state = orm.ArrayData()
    state.set_array("positions", np.zeros((3, 3)))
    state.base.attributes.set("step", 5)
    assert "restart_from has no velocities_A_fs" in str(problem(restart_from=state))
    state.set_array("velocities_A_fs", np.zeros((3, 3)))
    assert problem(restart_from=state) is None


@pytest.fixture
def prepare(tmp_path: Any, vasp_engine: dict[str, Any]) -> Callable[..., tuple[dict[str, str], Any]]:
    """Return a function: the files and the description of a job that is not run."""
    from aiida.engine.utils import instantiate_process
    from aiida.manage import get_manager

    def make(process_class: Any, structure: orm.StructureData, **change: Any) -> tuple[dict[str, str], Any]:
        inputs = {"structure": structure, **vasp_engine, **change}
        process = instantiate_process(get_manager().get_runner(), process_class, **inputs)
        info = process.prepare_for_submission(Folder(tmp_path))
        return {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}, info

    return make


def test_the_files_of_molecular_dynamics(prepare: Any, vasp_engine: dict[str, Any]) -> None:
    """Kinds of one element keep to themselves, and everything by species is in the order of POSCAR."""
    atoms = Atoms("LiOLi", cell=[4.0, 4.0, 5.0], positions=[[0, 0, 0], [2, 2, 2], [1, 3, 4]], pbc=True)
    structure = orm.StructureData(cell=atoms.cell.array)
    for symbol, name, position in zip(
        ["Li", "O", "Li", "Li"], ["Li", "O", "Li2", "Li"], [*atoms.positions.tolist(), [1, 1, 1]], strict=True
    ):
        structure.append_atom(symbols=symbol, name=name, position=position)
    lithium, oxygen = vasp_engine["potential"]["Li"], vasp_engine["potential"]["O"]
    files, info = prepare(
        VaspMdCalculation,
        structure,
        parameters=orm.Dict(SETTINGS | {"ensemble": "nvt", "thermostat": "langevin"}),
        potential={"Li": lithium, "O": oxygen, "Li2": lithium},
        incar=tags_with(vasp_engine, magmom=[1.0, 2.0, 3.0, 4.0], ispin=2),
        metadata={"options": {"max_wallclock_seconds": 1000}},
    )
    poscar = files["POSCAR"].splitlines()
    assert poscar[5:8] == ["Li O Li", "2 1 1", "Direct"]
    assert np.loadtxt(poscar[8:12]) @ atoms.cell.array == pytest.approx(
        np.array([[0, 0, 0], [1, 1, 1], [2, 2, 2], [1, 3, 4]])
    )
    assert poscar[12] == "Cartesian"
    assert len(poscar) == 17
    incar = dict(line.split(" = ") for line in files["INCAR"].splitlines())
    assert incar["POMASS"] == "6.94 15.999 6.94"
    assert incar["LANGEVIN_GAMMA"] == "10.0 10.0 10.0"
    assert incar["MAGMOM"] == "1.0 4.0 2.0 3.0"
    assert (incar["LWAVE"], incar["LCHARG"], incar["NSW"]) == (".FALSE.", ".FALSE.", "21")
    assert [line.split()[3] for line in files["POTCAR"].splitlines() if "TITEL" in line] == ["Li_sv", "O", "Li_sv"]
    assert files["KPOINTS"].split()[-6:-3] == ["1", "1", "1"]
    assert "POTCAR" in info.provenance_exclude_list
    assert "sleep 950" in info.prepend_text


def test_given_velocities_are_those_of_poscar(prepare: Any, lithium_oxide: orm.StructureData) -> None:
    velocities = orm.ArrayData()
    velocities.set_array("velocities", np.array([[1e-3, 0, 0], [0, 0, 0], [-1e-3, 0, 0]]))
    files, _ = prepare(
        VaspMdCalculation,
        orm.StructureData(ase=lithium_oxide.get_ase()[[1, 0, 2]]),
        parameters=orm.Dict(SETTINGS),
        initial_velocities=velocities,
    )
    given = np.loadtxt(files["POSCAR"].splitlines()[12:])
    assert given == pytest.approx(np.array([[1e-3, 0, 0], [-1e-3, 0, 0], [0, 0, 0]]))


def test_without_aiida_vasp_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['aiida_vasp'] = None; import aiida_ion.workchains.md.vasp"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'aiida-ion[vasp]'" in done.stderr


def test_no_watchdog_without_a_limit(prepare: Any, lithium_oxide: orm.StructureData) -> None:
    _, info = prepare(VaspMdCalculation, lithium_oxide, parameters=orm.Dict(SETTINGS))
    assert "STOPCAR" not in info.prepend_text


def test_the_files_of_a_relaxation(prepare: Any, lithium_oxide: orm.StructureData) -> None:
    files, _ = prepare(
        VaspRelaxCalculation, lithium_oxide, parameters=orm.Dict({"max_force_eV_A": 0.05, "max_steps": 7})
    )
    incar = dict(line.split(" = ") for line in files["INCAR"].splitlines())
    expected = {"IBRION": "2", "ISIF": "2", "NSW": "7", "EDIFFG": "-0.05"}
    assert expected.items() <= incar.items()
    assert "MDALGO" not in incar
    assert "Cartesian" not in files["POSCAR"]
