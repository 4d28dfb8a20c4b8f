"""What pages read of single results, from the archive of a small campaign."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from aiida import orm

from aiida_ion.queries import details, frames
from aiida_ion.queries.details import nernst_einstein_log10
from aiida_ion.queries.job_runs import runs_of
from aiida_ion.units import BOLTZMANN_EV_K

pytestmark = pytest.mark.usefixtures("campaign")


def conductivity(formula: str, level: str, verdict: str) -> str:
    filters = {"attributes.formula": formula, "attributes.level_of_theory": level, "attributes.verdict": verdict}
    query = orm.QueryBuilder().append(orm.WorkChainNode, tag="chain")
    edge = {"label": "conductivity", "type": "return"}
    query.append(orm.ArrayData, with_incoming="chain", edge_filters=edge, filters=filters, project=["uuid"])
    return str(query.first(flat=True))


@pytest.fixture
def measured(campaign: Path) -> str:
    return conductivity("CaF2", "classical/Gillan-1986", "measured")


@pytest.fixture
def unmeasured(campaign: Path) -> str:
    return conductivity("CaF2", "classical/Gillan-1986", "not_measurable")


def test_an_arrhenius_line_is_that_of_its_node(measured: str) -> None:
    result = details.arrhenius(measured)
    text, points = result["attributes"], result["points"]
    assert list(points["target_temperature_K"]) == [1700.0, 1900.0, 2100.0]
    np.testing.assert_allclose(sorted(points["temperature_K"]), sorted(text["temperatures_used_K"]))
    assert points["refused"].isna().all()
    assert (points["tracer_diffusivity_ci95_low_cm2_s"] < points["tracer_diffusivity_cm2_s"]).all()
    energies, prefactors = result["activation_energy_samples_eV"], result["log10_prefactor_samples_cm2_s"]
    assert len(energies) == len(prefactors) == 1000
    assert energies.mean() == pytest.approx(text["activation_energy_eV"])
    target = text["target_temperature_K"]
    log10_d = prefactors - energies / (BOLTZMANN_EV_K * target * np.log(10))
    assert log10_d.mean() == pytest.approx(text["log10_diffusivity_cm2_s"], abs=1e-6)
    # The constant of Nernst and Einstein takes D to the conductivity that the node states.
    factor = points["log10_conductivity_temperature_per_diffusivity"].iloc[0]
    expected = text["log10_ionic_conductivity_mS_cm"] + np.log10(target)
    assert log10_d.mean() + factor == pytest.approx(expected, abs=1e-6)


def test_refused_and_bounded_temperatures_are_told_apart(unmeasured: str) -> None:
    result = details.arrhenius(unmeasured)
    assert len(result["activation_energy_samples_eV"]) == 0
    points = result["points"].set_index("target_temperature_K")
    assert "drifts" in points.loc[3200.0, "refused"]
    assert points["refused"].isna().loc[1800.0]
    assert points.loc[1800.0, "verdict"] == "bound"
    assert points.loc[1800.0, "tracer_diffusivity_upper_bound_cm2_s"] > 0


def test_arrays_are_those_of_aiida(measured: str) -> None:
    fit = details.arrhenius(measured)["points"]["uuid"].iloc[0]
    node = orm.load_node(fit)
    result = details.diffusion_arrays(fit)
    assert sorted(result) == sorted(node.get_arraynames())
    for name, values in result.items():
        np.testing.assert_array_equal(values, node.get_array(name))
    assert list(details.diffusion_arrays(fit, ["msd_A2", "absent"])) == ["msd_A2"]
    assert details.diffusion_attributes(fit)["checks"]


def test_what_stands_beside_a_conductivity(unmeasured: str) -> None:
    result = details.beside(unmeasured)
    chain = orm.load_node(result["process"])
    assert result["supercell"] == chain.outputs.supercell.uuid
    assert result["structure"] == chain.inputs.structure.uuid
    assert result["cost"] == chain.outputs.cost.get_dict()
    rounds = details.history(result["history"])
    assert list(rounds["round"]) == [1, 1, 2, 2]
    assert set(rounds["time_ps"]) == {2.0, 4.0}
    assert set(rounds.loc[rounds["round"] == 2, "reason"]) == {"budget"}


def test_a_structure_is_that_of_aiida(unmeasured: str) -> None:
    result = details.structure(details.beside(unmeasured)["supercell"])
    atoms = orm.load_node(details.beside(unmeasured)["supercell"]).get_ase()
    assert result["symbols"] == list(atoms.symbols)
    np.testing.assert_allclose(result["cell"], atoms.cell.array)
    np.testing.assert_allclose(result["positions"], atoms.positions)
    assert result["pbc"] == [True, True, True]


def test_frames_of_a_run_are_thinned_and_in_order(unmeasured: str) -> None:
    fit = details.arrhenius(unmeasured)["points"]["uuid"].iloc[0]
    run_frames = frames.frames_of(fit, max_frames=20)
    # Two rounds are two segments; a few frames of each, never another seed's.
    assert len(run_frames.trajectory_uuids) == 2
    assert run_frames.positions.shape == (20, 96, 3)
    assert (np.diff(run_frames.times_ps) >= 0).all()
    first, last = (orm.load_node(uuid) for uuid in run_frames.trajectory_uuids)
    np.testing.assert_array_equal(run_frames.positions[0], first.get_array("positions")[0])
    np.testing.assert_array_equal(run_frames.positions[-1], last.get_array("positions")[-1])
    paths = frames.mobile_paths(run_frames, "F", max_ions=5)
    assert (paths.n_mobile, len(paths.ions), len(paths.framework)) == (64, 5, 32)
    went = np.linalg.norm(run_frames.positions[-1] - run_frames.positions[0], axis=1)
    assert went[paths.ions].min() == pytest.approx(np.sort(went[np.array(run_frames.symbols) == "F"])[-5])
    assert set(paths.framework_symbols) == {"Ca"}


def test_the_framework_is_counted_as_the_analysis_counts_it(measured: str) -> None:
    from aiida_ion.analysis.comparison.radial_distribution import radial_distribution

    fit = details.arrhenius(measured)["points"]["uuid"].iloc[0]
    run_frames = frames.frames_of(fit, max_frames=40)
    ours = frames.framework_rdf(run_frames, "F")
    assert ours is not None
    calcium = np.array(run_frames.symbols) == "Ca"
    edge = ours.r_A[-1] + ours.r_A[0]
    theirs = radial_distribution(
        run_frames.positions[:20, calcium], run_frames.cell, ["Ca"] * 32, range_A=edge, max_frames=20
    )
    coarse = np.interp(ours.r_A, theirs.r_A, theirs.g[0])
    assert np.abs(ours.first_half - coarse).max() < 0.35 * ours.first_half.max()
    density = 32 / abs(np.linalg.det(run_frames.cell))
    shells = 4 / 3 * np.pi * np.diff(np.linspace(0, edge, len(ours.r_A) + 1) ** 3)
    within = ours.r_A < 4.9
    # Twelve calcium neighbours around calcium, in the fluorite structure.
    assert density * (ours.first_half * shells)[within].sum() == pytest.approx(12.0, rel=0.08)
    assert frames.framework_rdf(run_frames, "Xe") is not None
    lonely = frames.RunFrames(run_frames.positions[:, :1], run_frames.cell, ("Ca",), run_frames.times_ps, ())
    assert frames.framework_rdf(lonely, "F") is None


def test_what_is_not_there_is_said(measured: str) -> None:
    for ask in (details.diffusion_attributes, details.diffusion_arrays, details.structure, details.arrhenius):
        with pytest.raises(ValueError, match="with the UUID 'nowhere' here"):
            ask("nowhere")
    with pytest.raises(ValueError, match="trajectories of this result are not here"):
        frames.frames_of("nowhere")
    assert details.beside("nowhere")["process"] is None
    assert details.arrhenius_points([]).empty


def test_every_segment_of_every_seed_is_a_row(unmeasured: str) -> None:
    chain = orm.load_node(details.beside(unmeasured)["process"])
    result = runs_of(chain.uuid)
    jobs = [one for one in chain.called_descendants if str(one.process_type).endswith("ion.lammps_md")]
    assert set(result["uuid"]) == {job.uuid for job in jobs}
    assert list(result["segment"]) == [0, 1] * 4
    assert list(result["temperature_K"]) == [1800.0] * 4 + [3200.0] * 4
    assert (result["time_ps"] == 2.0).all()
    for row in result.itertuples():
        job = orm.load_node(row.uuid)
        assert row.trajectory_uuid == job.outputs.trajectory.uuid
        assert row.wall_time_s == job.outputs.cost["wall_time_s"]
        assert row.seed == job.inputs.parameters["seed"]
    assert runs_of("nowhere").empty


def test_the_constant_of_nernst_and_einstein_has_any_size() -> None:
    constant = nernst_einstein_log10(1.0, 1.0)
    assert constant is not None
    assert constant == pytest.approx(math.log10(1e30 * 1.602176634e-19**2 * 1e-4 / 1.380649e-23 * 10.0))
    assert nernst_einstein_log10(-2.0, 0.03) == pytest.approx(constant + math.log10(4 * 0.03))
    for charge_e, number_density_A3 in ((1.0, 1e-320), (1e-200, 1.0), (1e-200, 1e-320)):
        expected = constant + 2 * math.log10(charge_e) + math.log10(number_density_A3)
        assert nernst_einstein_log10(charge_e, number_density_A3) == pytest.approx(expected)
    assert nernst_einstein_log10(0.0, 1.0) is None
    assert nernst_einstein_log10(1.0, 0.0) is None
