"""H5MD-NOMAD files, read back by h5py, by pint, and by MDAnalysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.analysis.comparison.radial_distribution import radial_distribution
from aiida_ion.archives.export import export, plan
from aiida_ion.archives.h5md import NOMAD, PLAIN, About, ExportedFrames, Motion, write_h5md
from aiida_ion.archives.h5md_nodes import Run, export_runs, file_names, joined_frames, kelvin_text, runs, runs_size
from aiida_ion.archives.open import open_archive
from aiida_ion.calculations.trajectory_data import trajectory_node

h5py = pytest.importorskip("h5py")
#: What NOMAD's parser takes; it fails at any other.
TYPES = {"configurational", "ensemble_average", "correlation_function"}


def frames(n: int = 300, **more: Any) -> ExportedFrames:
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, 6, (n, 4, 3)).astype("f4")
    cells = np.broadcast_to(np.diag([6.0, 7.0, 8.0]) + np.diag([1.0, 0.0], 1), (n, 3, 3)).copy()
    steps = 10 * np.arange(n)
    return ExportedFrames(["Li", "Li", "O", "O"], steps, steps * 0.002, cells, {"position": positions, **more})


ABOUT = About("Ada Lovelace", ("lammps", "22 Jul 2025"), {"Li": 1.0, "O": -2.0}, {"n_steps": 3000}, {"uuid": "x"})


def text(dataset: Any) -> str:
    return str(dataset.asstr()[()])


@pytest.mark.parametrize(("dialect", "boundary"), [(PLAIN, [b"periodic"] * 3), (NOMAD, [True] * 3)])
def test_the_mandatory_parts_of_h5md_are_there(dialect: str, boundary: list[Any], tmp_path: Path) -> None:
    given = frames(velocity=np.ones((300, 4, 3)))
    write_h5md(tmp_path / "a.h5", given, ABOUT, dialect=dialect)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["h5md"].attrs["version"].tolist() == [1, 1]
        assert file["h5md"].attrs["version"].dtype.kind == "i"
        assert file["h5md/author"].attrs["name"] == "Ada Lovelace"
        assert file["h5md/creator"].attrs["name"] == "aiida-ion"
        assert dict(file["h5md/program"].attrs) == {"name": "lammps", "version": "22 Jul 2025"}
        everything = file["particles/all"]
        assert everything["box"].attrs["dimension"] == 3
        assert everything["box"].attrs["boundary"].tolist() == boundary
        np.testing.assert_array_equal(everything["position/value"], given.vectors["position"])
        np.testing.assert_array_equal(everything["box/edges/value"], given.cells)
        assert everything["species_label"].asstr()[:].tolist() == given.symbols
        assert everything["charge"][:].tolist() == [1.0, 1.0, -2.0, -2.0]
        np.testing.assert_allclose(everything["mass"][:], [6.94, 6.94, 15.999, 15.999], rtol=1e-3)
        # Box and velocities have the very times of the positions, not copies.
        for element in ("box/edges", "velocity"):
            for name in ("step", "time"):
                assert everything[element][name].id == everything["position"][name].id
        assert np.all(np.diff(everything["position/step"][:]) > 0)


def check_quantities(file: Any) -> None:
    """Every quantity says a unit that pint knows, every observable a type that NOMAD knows."""
    pint = pytest.importorskip("pint")
    registry, dimensions = pint.UnitRegistry(), {}

    def visit(name: str, item: Any) -> None:
        if "unit" in item.attrs:
            dimensions[name.rpartition("/")[2], name.split("/")[1]] = registry(item.attrs["unit"]).dimensionality
        if name.startswith("observables/") and name.count("/") == 2:
            assert item.attrs["type"] in TYPES
            assert text(item["type"]) == "atomic"

    file.visititems(visit)
    assert dimensions["bins", "radial_distribution_functions"] == {"[length]": 1}
    assert dimensions["times", "mean_squared_displacements"] == {"[time]": 1}
    assert dimensions["value", "mean_squared_displacements"] == {"[length]": 2}
    assert dimensions["value", "diffusion_constants"] == {"[length]": 2, "[time]": -1}


def test_averages_stand_in_their_slots(tmp_path: Path) -> None:
    given = frames()
    rdf = radial_distribution(given.vectors["position"], given.cells, given.symbols)
    motion = Motion("Li", np.array([1.0, 2.0]), np.array([6.0, 12.0]), np.array([0.1, 0.2]), (1e-5, 1e-6), 3)
    write_h5md(tmp_path / "a.h5", given, ABOUT, rdf, motion, NOMAD)
    with h5py.File(tmp_path / "a.h5") as file:
        check_quantities(file)
        result = file["observables/radial_distribution_functions"]
        assert set(result) == {"Li-Li", "Li-O", "O-O"}
        np.testing.assert_array_equal(result["Li-O/value"], rdf.g[1])
        assert result["Li-O/n_bins"][()] == len(rdf.r_A) == len(result["Li-O/bins"])
        assert (result["Li-O/frame_start"][()], result["Li-O/frame_end"][()]) == (0, 299)
        result = file["observables/mean_squared_displacements/Li"]
        assert result["value"][:].tolist() == [6.0, 12.0]
        assert result["errors"][:].tolist() == [0.1, 0.2]
        assert text(result["error_type"]) == "standard_deviation"
        assert file["observables/diffusion_constants/Li/value"][()] == 1e-5


def test_no_diffusivity_where_nothing_moved(tmp_path: Path) -> None:
    motion = Motion("Li", np.array([1.0]), np.array([0.1]), np.array([0.1]), None, 1)
    with pytest.raises(ValueError, match="for NOMAD only"):
        write_h5md(tmp_path / "a.h5", frames(), ABOUT, None, motion)
    write_h5md(tmp_path / "a.h5", frames(), ABOUT, None, motion, NOMAD)
    with h5py.File(tmp_path / "a.h5") as file:
        assert set(file["observables"]) == {"mean_squared_displacements"}


def test_segments_are_joined_without_a_frame_twice() -> None:
    rng = np.random.default_rng(0)
    positions = rng.normal(size=(30, 2, 3)).astype("f4")
    steps = 5 * np.arange(30)
    parts = [slice(0, 11), slice(10, 30)]
    segments = [
        trajectory_node(["Li", "O"], steps[part], positions[part], np.eye(3) * 9.0, timestep_fs=2.0) for part in parts
    ]
    joined = joined_frames(segments, equilibration_fs=100.0, max_frames=None)
    np.testing.assert_array_equal(joined.steps, steps)
    np.testing.assert_array_equal(joined.vectors["position"], positions)
    assert joined.first == 10  # 100 fs of 5 steps of 2 fs
    thinned = joined_frames(segments, 0.0, max_frames=8)
    assert thinned.steps.tolist() == [0, 20, 40, 60, 80, 100, 120, 140]


@pytest.fixture
def exported(fit_archive: Path, tmp_path: Path, back: None) -> tuple[orm.ArrayData, list[Path]]:
    """Return the node of a real fit of two replicas, and the files of both."""
    open_archive(fit_archive)
    (node,) = orm.QueryBuilder().append(orm.ArrayData, filters={"attributes.verdict": "moved"}).all(flat=True)
    chosen = runs([node.uuid])
    assert runs_size(chosen) > 300_000
    return node, list(export_runs(chosen, tmp_path / "out.h5", dialect=NOMAD))


@pytest.mark.slow
def test_each_replica_of_a_real_fit_is_a_file(exported: tuple[orm.ArrayData, list[Path]]) -> None:
    node, paths = exported
    assert [path.name for path in paths] == ["out-0500K-replica-00.h5", "out-0500K-replica-01.h5"]
    for number, path in enumerate(paths):
        trajectory = node.creator.inputs.trajectories[f"replica_{number:02d}_segment_000"]
        with h5py.File(path) as file:
            check_quantities(file)
            np.testing.assert_array_equal(file["particles/all/position/value"], trajectory.get_array("positions"))
            np.testing.assert_allclose(file["particles/all/position/time"], trajectory.get_array("times"))
            result = file["observables/mean_squared_displacements/Li"]
            np.testing.assert_array_equal(result["value"], node.get_array("msd_A2"))
            assert result["n_replicas"][()] == 2
            assert text(file["parameters/provenance/diffusion_uuid"]) == node.uuid
            assert text(file["parameters/provenance/trajectory_000_uuid"]) == trajectory.uuid
            thermostat = file["parameters/workflow/molecular_dynamics/thermostat_parameters"]
            assert thermostat["reference_temperature"][()] == 500.0


@pytest.mark.parametrize("trajectory_only", [False, True])
def test_mdanalysis_reads_the_default_file(
    exported: tuple[orm.ArrayData, list[Path]], tmp_path: Path, trajectory_only: bool
) -> None:
    analysis = pytest.importorskip("MDAnalysis")
    node, _ = exported
    (path,) = export_runs(runs([node.uuid])[:1], tmp_path / "bare.h5", trajectory_only=trajectory_only)
    trajectory = node.creator.inputs.trajectories["replica_00_segment_000"]
    universe = analysis.Universe.empty(32, trajectory=True)
    universe.load_new(str(path), format="H5MD")
    assert len(universe.trajectory) == 400
    for number in (0, 7, 399):
        step = universe.trajectory[number]
        np.testing.assert_allclose(step.positions, trajectory.get_array("positions")[number], atol=1e-6)
        assert step.time == pytest.approx(0.1 * number)
        np.testing.assert_allclose(step.dimensions, [15.0, 15.0, 15.0, 90.0, 90.0, 90.0], rtol=1e-6)
    universe.trajectory.close()


def test_mdanalysis_converts_velocities_and_forces(tmp_path: Path) -> None:
    analysis = pytest.importorskip("MDAnalysis")
    velocities = np.full((300, 4, 3), 0.002, dtype="f4")  # angstrom/fs
    forces = np.full((300, 4, 3), 0.5, dtype="f4")  # eV/angstrom
    write_h5md(tmp_path / "a.h5", frames(velocity=velocities, force=forces), ABOUT)
    universe = analysis.Universe.empty(4, trajectory=True, velocities=True, forces=True)
    universe.load_new(str(tmp_path / "a.h5"), format="H5MD")
    step = universe.trajectory[299]
    np.testing.assert_allclose(step.velocities, 2.0, rtol=1e-5)  # angstrom/ps
    np.testing.assert_allclose(step.forces, 0.5 * 96.48533, rtol=1e-5)  # kJ/(mol angstrom)
    np.testing.assert_allclose(step.dimensions[:2], [np.sqrt(37.0), 7.0], rtol=1e-6)
    universe.trajectory.close()


class Fit:
    """What names of files ask of a fit."""

    def __init__(self, pk: int) -> None:
        self.pk = pk


def test_files_are_named_by_their_temperature() -> None:
    first, second = Fit(1), Fit(2)
    hot, cold = (Run(fit, "replica_00", kelvin, "Li3N") for fit, kelvin in ((first, 1200.0), (second, 298.15)))
    path = Path("there/a.h5")
    assert file_names([hot], path) == [path]
    assert [one.name for one in file_names([cold, hot], path)] == ["a-0298.15K.h5", "a-1200K.h5"]
    seeds = [hot, hot._replace(replica="replica_01"), cold]
    assert [one.name for one in file_names(seeds, path)] == [
        "a-1200K-replica-00.h5",
        "a-1200K-replica-01.h5",
        "a-0298.15K.h5",
    ]
    other = hot._replace(fit=second, formula="Li2O")
    assert [one.name for one in file_names([hot, other], path)] == ["a-Li3N-1200K.h5", "a-Li2O-1200K.h5"]
    level = hot._replace(fit=second)
    assert [one.name for one in file_names([hot, level], path)] == ["a-1200K-000.h5", "a-1200K-001.h5"]
    assert file_names([hot, other], path)[0].parent == path.parent
    assert [kelvin_text(value) for value in (None, 50.0, 1000.0, 300.5)] == ["", "0050K", "1000K", "0300.5K"]


def test_what_was_not_fitted_or_has_no_frames_is_said(fit_archive: Path, tmp_path: Path, back: None) -> None:
    open_archive(fit_archive)
    (code,) = orm.QueryBuilder().append(orm.InstalledCode, project="uuid").all(flat=True)
    with pytest.raises(ValueError, match="none of these was fitted"):
        runs([code])
    (uuid,) = (
        orm.QueryBuilder().append(orm.ArrayData, filters={"attributes.verdict": "moved"}, project="uuid").all(flat=True)
    )
    export(plan([uuid], trajectories=False), tmp_path / "light.aiida")
    open_archive(tmp_path / "light.aiida")
    with pytest.raises(ValueError, match="exported without trajectories"):
        list(export_runs(runs([uuid]), tmp_path / "out.h5"))
    assert not list(tmp_path.glob("*.h5*"))
