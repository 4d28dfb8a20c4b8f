"""A scan of cut-offs and k-points by real single points of pw.x, and by the stand-in for VASP."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import CalculationFactory

from aiida_ion.cli.engine.converge import recommended_options
from aiida_ion.cli.text.converged import convergence_table
from aiida_ion.workchains.convergence.parameters import Scan, parameters_of, points_of
from aiida_ion.workchains.convergence.workchain import ConvergenceWorkChain
from aiida_ion.workchains.md.quantumespresso_points import PwSinglePoints
from tests.conftest import OPTIONS

Engine = dict[str, Any]


def scan_of(structure: orm.StructureData, entry_point: str, engine: Engine, parameters: Any, **more: Any) -> Any:
    return run_get_node(
        ConvergenceWorkChain,
        structure=structure,
        entry_point=orm.Str(entry_point),
        engine={name: value for name, value in engine.items() if name != "metadata"},
        parameters=orm.Dict(parameters),
        options=OPTIONS,
        **more,
    )[1]


@pytest.fixture
def pw_engine(quantumespresso_engine: Engine) -> Engine:
    """Return pw.x on Li2O with a mesh of one point that is not Gamma, for speed."""
    kpoints = orm.KpointsData()
    kpoints.set_kpoints_mesh([1, 1, 1])
    return quantumespresso_engine | {"kpoints": kpoints}


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_a_scan_of_pw_finds_the_setting_and_is_not_computed_twice(
    lithium_oxide: orm.StructureData, pw_engine: Engine
) -> None:
    scan = Scan(cutoffs=[[25, 150], [30, 180]], spacings_1_A=[3.0], max_force_error_percent=50.0)
    parameters = parameters_of(scan, PwSinglePoints, lithium_oxide, pw_engine)
    assert parameters["base_cutoffs"] == [78.0, 355.0], "what the files suggest"
    parameters |= {"base_cutoffs": [25.0, 150.0], "meshes": [[1, 1, 1], [2, 1, 1]]}  # cheaper
    node = scan_of(lithium_oxide, "ion.md.quantumespresso", pw_engine, parameters)
    assert node.is_finished_ok, node.exit_message
    jobs = [job for job in node.called if isinstance(job, orm.CalcJobNode)]
    assert len(jobs) == 3, "one point belongs to both scans"
    table = node.outputs.convergence.get_dict()
    assert (table["formula"], table["functional"], table["unit"]) == ("Li2O", "QE PBEsol", "Ry")
    assert "shifted" not in convergence_table(table)[0]
    low, high = table["cutoffs"]
    assert (low["cutoffs"], high["cutoffs"]) == ([25.0, 150.0], [30.0, 180.0])
    points = {tuple(job.inputs.namelists["SYSTEM"][key] for key in ("ecutwfc", "ecutrho")): job for job in jobs[:2]}
    forces = [
        points[25.0, 150.0].outputs.point.get_array("forces"),
        points[30.0, 180.0].outputs.point.get_array("forces"),
    ]
    apart = np.sqrt(np.mean((forces[0] - forces[1]) ** 2) / np.mean(forces[1] ** 2))
    assert low["force_difference_percent"] == pytest.approx(100 * apart) and apart > 1e-3
    assert high["force_difference_percent"] == 0.0
    assert low["cpu_time_s"] > 0 and low["pressure_GPa"] is not None
    assert table["recommended_cutoffs"] == ([25.0, 150.0] if apart <= 0.5 else None)
    assert [row["mesh"] for row in table["kpoints"]] == [[1, 1, 1], [2, 1, 1]]
    point = points[25.0, 150.0].outputs
    assert point.point.get_array("forces").sum(axis=0) == pytest.approx(np.zeros(3), abs=0.05)
    assert -np.trace(point.point.get_array("stress")) / 3 * 160.21766 == pytest.approx(
        point.point.base.attributes.get("pressure_GPa"), rel=1e-6
    )
    assert point.versions["level_of_theory_fingerprint"]["ecutwfc_Ry"] == 25.0
    again = scan_of(lithium_oxide, "ion.md.quantumespresso", pw_engine, parameters)
    assert again.is_finished_ok, again.exit_message
    repeated = [job for job in again.called if isinstance(job, orm.CalcJobNode)]
    assert len(repeated) == 3 and all(job.base.caching.is_created_from_cache for job in repeated)
    assert again.outputs.convergence.get_dict() == table


@pytest.mark.usefixtures("aiida_profile_clean")
def test_points_that_fail_are_named_and_the_rest_is_tabulated(
    lithium_oxide: orm.StructureData, pw_engine: Engine
) -> None:
    shifted = orm.KpointsData()
    shifted.set_kpoints_mesh([1, 1, 1], offset=[0.5, 0.5, 0.5])
    pw_engine = pw_engine | {"kpoints": shifted}
    parameters = parameters_of(Scan(spacings_1_A=[3.0]), PwSinglePoints, lithium_oxide, pw_engine)
    # A density that needs less than the wave functions is refused by pw.x itself.
    parameters |= {"base_cutoffs": [25.0, 150.0], "cutoffs": [[25.0, 150.0], [26.0, 20.0]]}
    node = scan_of(lithium_oxide, "ion.md.quantumespresso", pw_engine, parameters)
    assert node.exit_status == 712, node.exit_message
    assert "26/20 Ry, 1x1x1: job" in node.exit_message
    table = node.outputs.convergence.get_dict()
    assert len(table["failed"]) == 1 and table["recommended_cutoffs"] is None
    assert [row["cutoffs"] for row in table["cutoffs"]] == [[25.0, 150.0]]
    # Every point is shifted as the engine is, and the table says so.
    jobs = [job for job in node.called if isinstance(job, orm.CalcJobNode)]
    assert {tuple(job.inputs.kpoints.get_kpoints_mesh()[1]) for job in jobs} == {(0.5, 0.5, 0.5)}
    assert "meshes shifted off the Gamma point" in convergence_table(table)[0]
    recommended = table | {"recommended_kpoints": [1, 1, 1]}
    assert recommended_options(PwSinglePoints, recommended) == "--kpoints 1,1,1 --shift-kpoints"


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_vasp_by_the_same_interface(lithium_oxide: orm.StructureData, vasp_engine: Engine) -> None:
    from aiida_ion.workchains.md.vasp_points import VaspSinglePoints

    scan = Scan(spacings_1_A=[3.0], n_displaced=2)
    parameters = parameters_of(scan, VaspSinglePoints, lithium_oxide, vasp_engine)
    assert parameters["cutoffs"] == [[200.0], [300.0], [400.0], [500.0], [520.0], [600.0]], "of ENMAX, and its own"
    node = scan_of(lithium_oxide, "ion.md.vasp", vasp_engine, parameters | {"cutoffs": [[300.0], [400.0]]})
    assert node.is_finished_ok, node.exit_message
    table = node.outputs.convergence.get_dict()
    # The stand-in computes the same whatever the cut-off.
    assert table["recommended_cutoffs"] == [300.0]
    assert (table["unit"], table["suggested_cutoffs"], table["functional"]) == ("eV", [400.0], "VASP PBE")
    assert [row["n_frames"] for row in table["cutoffs"]] == [2, 2]
    jobs = [job for job in node.called if isinstance(job, orm.CalcJobNode)]
    assert {job.inputs.incar["encut"] for job in jobs} == {300.0, 400.0}
    positions = [np.array([site.position for site in job.inputs.structure.sites]) for job in jobs]
    start = np.array([site.position for site in lithium_oxide.sites])
    assert len({float(one[0, 0]) for one in positions}) == 2, "two configurations"
    assert all(0.01 < np.abs(one - start).max() < 0.5 for one in positions)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_frames_of_a_run_are_configurations(lithium_oxide: orm.StructureData, vasp_engine: Engine) -> None:
    trajectory = orm.TrajectoryData([lithium_oxide, lithium_oxide])
    positions = trajectory.get_positions().copy()
    positions[1] += 0.05 * np.array([1.0, -1.0, 1.0])[:, None]
    trajectory.set_array("positions", positions)
    trajectory.base.attributes.set("symbols", [site.kind_name for site in lithium_oxide.sites])
    parameters = {
        "cutoffs": [[400.0], [500.0]],
        "meshes": [[1, 1, 1]],
        "base_cutoffs": [400.0],
        "base_mesh": [1, 1, 1],
        "displacement_A": 0.08,
        "n_displaced": 0,
        "frames": [1],
        "seed": 1,
        "max_concurrent": 2,
        "max_force_error_percent": 2.0,
    }
    node = scan_of(lithium_oxide, "ion.md.vasp", vasp_engine, parameters, trajectory=trajectory)
    assert node.is_finished_ok, node.exit_message
    (first, *_) = [job for job in node.called if isinstance(job, orm.CalcJobNode)]
    given = np.array([site.position for site in first.inputs.structure.sites])
    assert given == pytest.approx(positions[1])
    with pytest.raises(ValueError, match="has 2 frames, counted from 0, and no frame 2"):
        scan_of(lithium_oxide, "ion.md.vasp", vasp_engine, parameters | {"frames": [2]}, trajectory=trajectory)
    with pytest.raises(ValueError, match="frames are given, and no trajectory"):
        scan_of(lithium_oxide, "ion.md.vasp", vasp_engine, parameters)
    with pytest.raises(ValueError, match="there is no configuration"):
        scan_of(lithium_oxide, "ion.md.vasp", vasp_engine, parameters | {"frames": []})
    with pytest.raises(ValueError, match=r"ion.md.mlip converges no electrons"):
        scan_of(lithium_oxide, "ion.md.mlip", vasp_engine, parameters)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_parameters_of_a_scan(lithium_oxide: orm.StructureData, pw_engine: Engine) -> None:
    parameters = parameters_of(Scan(), PwSinglePoints, lithium_oxide, pw_engine)
    assert parameters["cutoffs"] == [
        *([25.0, 150.0], [39.0, 178.0], [58.0, 266.0], [78.0, 355.0], [98.0, 444.0], [117.0, 532.0])
    ]
    assert parameters["meshes"][0] == [1, 1, 1] == parameters["base_mesh"]
    # One point belongs to both scans.
    assert len(points_of(parameters, 2)) == 2 * (6 + len(parameters["meshes"]) - 1)
    with pytest.raises(ValueError, match=r"of the form 25/150 Ry, got 30"):
        parameters_of(Scan(cutoffs=[[30.0]]), PwSinglePoints, lithium_oxide, pw_engine)
    with pytest.raises(ValueError, match="two settings of the cut-offs or more"):
        parameters_of(Scan(cutoffs=[[25.0, 150.0]]), PwSinglePoints, lithium_oxide, pw_engine)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_electrons_of_a_single_point_that_do_not_converge(lithium_oxide: orm.StructureData, pw_engine: Engine) -> None:
    namelists = pw_engine["namelists"].get_dict()
    electrons = namelists["ELECTRONS"] | {"electron_maxstep": 1}
    inputs = pw_engine | {"namelists": orm.Dict(namelists | {"ELECTRONS": electrons})}
    job = run_get_node(CalculationFactory("ion.quantumespresso_single_point"), structure=lithium_oxide, **inputs)[1]
    assert job.exit_status == 440, job.exit_message
    assert "point" not in job.outputs
