"""Jobs of VASP through AiiDA: the stand-in alone, and behind mock-vasp with its registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.vasp.md import RESTART_VELOCITIES, VaspMdCalculation
from aiida_ion.calculations.vasp.relax import VaspRelaxCalculation
from tests.conftest import OPTIONS

SETTINGS = {
    "temperature_K": 400.0,
    "timestep_fs": 1.0,
    "n_steps": 8,
    "sample_every": 2,
    "seed": 4,
    "thermostat_time_fs": 20.0,
    "keep": ["velocities"],
}
Run = Callable[..., orm.CalcJobNode]

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


@pytest.fixture
def interleaved(lithium_oxide: orm.StructureData) -> orm.StructureData:
    """Return lithium oxide with its sites in the order Li O Li."""
    return orm.StructureData(ase=lithium_oxide.get_ase()[[1, 0, 2]])


@pytest.fixture
def run_md(interleaved: orm.StructureData, vasp_engine: dict[str, Any]) -> Run:
    """Return a factory: an MD job."""

    def run(code: Any = None, more: dict[str, Any] | None = None, **change: Any) -> orm.CalcJobNode:
        node: orm.CalcJobNode = run_get_node(
            VaspMdCalculation,
            structure=interleaved,
            parameters=orm.Dict(SETTINGS | change),
            metadata={"options": OPTIONS},
            **(vasp_engine | ({"code": code} if code else {})),
            **(more or {}),
        )[1]
        return node

    return run


def test_a_job_and_its_continuation(run_md: Run, interleaved: orm.StructureData) -> None:
    node = run_md()
    assert node.is_finished_ok, node.exit_message
    trajectory = node.outputs.trajectory
    assert trajectory.symbols == ["Li", "O", "Li"]
    assert trajectory.get_array("steps").tolist() == [0, 2, 4, 6, 8]
    assert trajectory.get_positions()[0] == pytest.approx(interleaved.get_ase().positions, abs=1e-6)
    assert trajectory.get_array("forces").shape == (5, 3, 3)
    versions = node.outputs.versions.get_dict()
    assert versions["program"] == "VASP 6.4.3"
    assert (versions["functional"], versions["encut_eV"], versions["n_electrons"]) == ("PBE", 520.0, 12.0)
    assert versions["potentials"] == {"Li": "PAW_PBE Li_sv 10Sep2004", "O": "PAW_PBE O 08Apr2002"}
    assert {len(digest) for digest in versions["potential_sha512"].values()} == {128}
    assert versions["poscar_velocities"] == "t - dt/2"
    cost = node.outputs.cost.get_dict()
    assert (cost["n_steps"], cost["n_atoms"], cost["processes"]) == (8, 3, 1)
    assert cost["peak_memory_MiB"] == 64.0
    assert "==== OUTCAR ====" in node.outputs.log.get_content()
    # The licensed file is nowhere in the provenance, the rest of what was run is.
    assert sorted(node.base.repository.list_object_names()) == [
        ".aiida",
        "INCAR",
        "KPOINTS",
        "POSCAR",
        "_aiidasubmit.sh",
    ]
    kept = set(node.outputs.retrieved.base.repository.list_object_names())
    assert not kept & {"POTCAR", "vasprun.xml", "OUTCAR", "CONTCAR", "vasp_output"}
    state = node.outputs.state
    rest = run_md(more={"restart_from": state}, n_steps=12)
    assert rest.is_finished_ok, rest.exit_message
    assert rest.outputs.trajectory.get_array("steps").tolist() == [10, 12]
    poscar = rest.base.repository.get_object_content("POSCAR").splitlines()
    given = np.loadtxt(poscar[12:])[[0, 2, 1]]
    assert given == pytest.approx(state.get_array(RESTART_VELOCITIES), abs=1e-15)


@pytest.mark.slow
def test_mock_vasp_serves_what_it_has_run(run_md: Run, mock_vasp: Any) -> None:
    first = run_md(mock_vasp())
    assert first.is_finished_ok, first.exit_message
    replayed = run_md(mock_vasp(strict=True))
    assert replayed.is_finished_ok, replayed.exit_message
    assert "is not registered" not in replayed.outputs.log.get_content()
    for name in ("positions", "forces", "velocities"):
        assert (replayed.outputs.trajectory.get_array(name) == first.outputs.trajectory.get_array(name)).all()
    unknown = run_md(mock_vasp(strict=True), seed=99)
    assert unknown.exit_code.status == 320
    assert "could not perform a clean run" in unknown.exit_message


@pytest.mark.parametrize(
    ("misbehaviour", "status", "n_frames", "words"),
    [
        ({"hard_step": 5}, 440, 3, "at step 5 the energy still changed"),
        ({"never_converges": 1}, 440, 0, "at step 0 the energy still changed"),
        ({"hard_step": 1}, 440, 0, "at step 1 the energy still changed"),
        ({"fails_after": 5}, 320, 3, "Call to ZHEGV failed"),
        ({"version": "6.3.2"}, 210, 0, "has no csvr"),
    ],
)
def test_ends(
    run_md: Run, vasp_program: Any, misbehaviour: dict[str, Any], status: int, n_frames: int, words: str
) -> None:
    node = run_md(vasp_program(**misbehaviour))
    assert node.exit_status == status, node.exit_message
    assert words in node.exit_message
    frames = node.outputs.trajectory.numsteps if "trajectory" in node.outputs else 0
    assert frames == n_frames
    assert "log" in node.outputs
    assert "Traceback" not in node.exit_message


def test_relaxation(lithium_oxide: orm.StructureData, vasp_engine: dict[str, Any]) -> None:
    def relax(**parameters: Any) -> orm.CalcJobNode:
        node: orm.CalcJobNode = run_get_node(
            VaspRelaxCalculation,
            structure=lithium_oxide,
            parameters=orm.Dict(parameters),
            metadata={"options": OPTIONS},
            **vasp_engine,
        )[1]
        return node

    node = relax(max_force_eV_A=0.02, max_steps=200)
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.relaxation.get_dict()
    assert result["converged"]
    assert result["final_max_force_eV_A"] <= 0.02 < result["initial_max_force_eV_A"]
    assert result["energy_drop_eV_atom"] > 0
    assert 0 < result["rms_displacement_A"] <= result["max_displacement_A"] < 0.2
    relaxed = node.outputs.structure
    assert np.array(relaxed.cell) == pytest.approx(np.array(lithium_oxide.cell))
    assert [site.kind_name for site in relaxed.sites] == [site.kind_name for site in lithium_oxide.sites]
    assert node.outputs.cost.get_dict()["wall_time_s"] >= 0
    early = relax(max_force_eV_A=1e-6, max_steps=3)
    assert early.exit_status == 700
    assert "allow more `max_steps`" in early.exit_message
    assert not early.outputs.relaxation.get_dict()["converged"]
    assert early.outputs.relaxation.get_dict()["n_steps"] == 2
