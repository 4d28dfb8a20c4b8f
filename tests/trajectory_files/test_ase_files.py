"""extxyz and ASE's own trajectories: ids, restarts, times, and what ASE's dynamics says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from ase.io import read as read_atoms
from ase.io import write as write_atoms
from ase.io.trajectory import Trajectory
from ase.md.langevin import Langevin

from aiida_ion.trajectory_files.ase.extxyz import read_extxyz
from aiida_ion.trajectory_files.ase.traj import read_traj
from benchmarks.trajectory_writers import EDGE_A, SYMBOLS, extxyz, synthetic_run, write_traj
from tests.trajectory_files.runs import FACTS, displacements, read, warnings_of

RUN = synthetic_run(40)
TRUTH = RUN.positions - RUN.positions[0]


def write(folder: Path, text: str, name: str = "run.extxyz") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_extxyz_is_read_as_ase_reads_it(tmp_path: Path) -> None:
    path = write(tmp_path, extxyz(RUN.positions) + "\n\n")
    expected = [atoms.positions for atoms in read_atoms(path, index=":")]
    assert np.array_equal(read_extxyz(path, None).positions, np.array(expected))


@pytest.mark.parametrize("name", ["id", "ids", "atom_id"])
def test_atoms_are_put_in_the_order_of_their_ids(name: str, tmp_path: Path) -> None:
    run = read(write(tmp_path, extxyz(RUN.wrapped(), ids=3).replace(":id:I:1", f":{name}:I:1")))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-7)
    assert run.segments[0].symbols == SYMBOLS


def test_another_order_without_ids_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    orders = [np.concatenate([rng.permutation(16), 16 + rng.permutation(8)]) for _ in TRUTH]
    shuffled = np.array([frame[order] for frame, order in zip(RUN.wrapped(), orders, strict=True)])
    with pytest.raises(ValueError, match="their order seems to change"):
        read(write(tmp_path, extxyz(shuffled)))


def test_first_frames_that_restarts_wrote_again_are_kept_once(tmp_path: Path) -> None:
    rows = np.concatenate([np.arange(max(low - 1, 0), low + 5) for low in range(0, 40, 5)])
    write_traj(tmp_path / "run.traj", RUN.positions[rows])
    run = read(tmp_path / "run.traj")
    assert displacements(run) == pytest.approx(TRUTH, abs=1e-9)
    assert run.segments[0].report.n_left_out == 7
    assert "run.traj: 7 frames repeat the previous frame, as restarts do; each is kept once." in run.remarks


def test_a_block_that_starts_from_wrapped_positions_goes_on(tmp_path: Path) -> None:
    rest = RUN.positions[20:] - RUN.positions[20] + RUN.wrapped()[20]
    joined = np.concatenate([RUN.positions[:20] + 3 * EDGE_A, rest])
    run = read(write(tmp_path, extxyz(joined)))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-7)
    assert any("at frame 20 atoms jump by whole cells" in remark for remark in run.remarks)


def test_times_and_steps_of_the_comment_line_are_compared(tmp_path: Path) -> None:
    for text in ("time={frame}00", "Time={frame}.0"):  # 100 fs, or 1 ps, or 10.2 fs in ASE's unit
        with pytest.raises(ValueError, match="from the times in the file the interval between two frames is"):
            read(write(tmp_path, extxyz(RUN.positions, text)))
    assert (
        warnings_of(read(write(tmp_path, extxyz(RUN.positions, "time={frame}00")), given=FACTS | {"sample_every": 50}))
        == []
    )
    run = read(write(tmp_path, extxyz(RUN.positions, "step={frame}00")))
    assert run.facts.sample_every == 100
    assert "the file says 100, --sample-every 10" in warnings_of(run)[0]
    missing = extxyz(RUN.positions[:20], "time=1{frame:02d}") + extxyz(RUN.positions[20:], "time=3{frame:02d}")
    with pytest.raises(ValueError, match="180 frames are missing"):
        read(write(tmp_path, missing), given=FACTS | {"timestep_fs": 0.1})


def test_a_measured_temperature_is_compared(tmp_path: Path) -> None:
    run = read(write(tmp_path, extxyz(RUN.positions, "temperature=1{frame:02d}0")))
    assert "the mean temperature that run.extxyz states is 1295 K, not 800 K" in warnings_of(run)[0]


def test_what_is_not_periodic_is_refused_unless_overridden(tmp_path: Path) -> None:
    path = write(tmp_path, extxyz(RUN.positions, pbc="F F F"))
    with pytest.raises(ValueError, match="not periodic along a, b, c"):
        read(path)
    assert "treated as periodic" in warnings_of(read(path, override_file=True))[0]


def test_a_cell_that_some_frames_lack_is_named(tmp_path: Path) -> None:
    atoms = [Atoms(SYMBOLS, positions=frame, cell=EDGE_A * np.eye(3), pbc=True) for frame in RUN.positions]
    atoms[7].cell = np.zeros((3, 3))
    atoms[7].pbc = False
    write_atoms(tmp_path / "run.traj", atoms)
    with pytest.raises(ValueError, match="frame 7"):
        read(tmp_path / "run.traj")


def test_deuterium_in_extxyz(tmp_path: Path) -> None:
    run = read(write(tmp_path, extxyz(RUN.positions).replace("Li ", "D ")))
    assert set(run.segments[0].symbols) == {"H", "O"}


def test_a_frame_cut_at_the_end_or_before_another_run(tmp_path: Path) -> None:
    lines = extxyz(RUN.positions[:20]).splitlines(keepends=True)
    for lost in (1, 10):
        cut = "".join(lines[:-lost])
        assert len(displacements(read(write(tmp_path, cut)))) == 19
        assert len(displacements(read(write(tmp_path, cut[:-5])))) == 19
        run = read(write(tmp_path, cut[:-5] + extxyz(RUN.positions[20:])))
        assert displacements(run) == pytest.approx(TRUTH[np.r_[0:19, 20:40]], abs=2e-7)
        assert any("a frame is missing after the first 19" in warning for warning in warnings_of(run))


@pytest.fixture(scope="module")
def argon_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of argon with two atoms held, by ASE's Langevin dynamics."""
    path = tmp_path_factory.mktemp("argon") / "md.traj"
    atoms = bulk("Ar", "fcc", a=5.4, cubic=True).repeat(2)
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.0)
    atoms.set_constraint(FixAtoms([0, 1]))
    rng = np.random.default_rng(0)
    dynamics = Langevin(
        atoms,
        3.0 * units.fs,
        temperature_K=60.0,
        friction=0.05,
        fixcm=False,
        rng=rng,
        trajectory=str(path),
        loginterval=5,
    )
    dynamics.run(60)
    return path


def test_what_the_dynamics_of_ase_says_is_taken(argon_run: Path) -> None:
    result = read_traj(argon_run, None)
    assert result.facts["program"] == "ASE Langevin"
    assert result.facts["timestep_fs"] == pytest.approx(3.0)
    assert result.facts["sample_every"] == 5
    assert result.facts["target_temperature_K"] == pytest.approx(60.0)
    run = read(argon_run, given={"level_of_theory": "LJ"})
    assert run.facts.interval_fs == pytest.approx(15.0)
    assert len(displacements(run)) == 13
    run = read(argon_run, given=FACTS | {"target_temperature_K": 300.0, "timestep_fs": 3.0, "sample_every": 5})
    assert run.facts.target_temperature_K == pytest.approx(60.0)
    assert "Temperature: the file says 60 K, --temperature-K 300 K" in warnings_of(run)[0]


def test_held_atoms_do_not_count_for_the_temperature(argon_run: Path) -> None:
    frames = Trajectory(str(argon_run))
    later = [frames[number].get_temperature() for number in range(len(frames) // 2, len(frames))]
    assert read_traj(argon_run, None).facts["mean_temperature_K"] == pytest.approx(np.mean(later))
    assert frames[-1].get_number_of_degrees_of_freedom() == 3 * 30


def test_a_relaxation_is_refused(tmp_path: Path) -> None:
    from ase.optimize import BFGS

    atoms = bulk("Ar", "fcc", a=5.4, cubic=True)
    atoms.rattle(0.1, seed=1)
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.0)
    BFGS(atoms, trajectory=str(tmp_path / "relax.traj"), logfile=None).run(steps=5)
    with pytest.raises(ValueError, match="it is a relaxation"):
        read(tmp_path / "relax.traj")
