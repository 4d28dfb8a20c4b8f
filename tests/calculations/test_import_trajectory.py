"""Files of other programs become the trajectory that was run, whichever format carries it."""

from __future__ import annotations

import gzip
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from aiida import orm
from ase import Atoms
from ase.io import write

from aiida_ion.calculations.import_trajectory import ImportedRun, RunFacts, import_run
from aiida_ion.trajectory_files.read import DFT_READERS, FORMATS, read_trajectory, recognise

FACTS = {"timestep_fs": 2.0, "sample_every": 5, "target_temperature_K": 700.0, "level_of_theory": "PBE"}
CELL = np.array([[6.0, 0.0, 0.0], [1.0, 7.0, 0.0], [0.5, -1.0, 8.0]])
SYMBOLS = ["Li", "Li", "Cl"]
N_FRAMES = 30


@pytest.fixture
def truth() -> np.ndarray:
    """A run in which lithium leaves the cell several times: (frames, atoms, 3), angstrom, unwrapped."""
    rng = np.random.default_rng(4)
    steps = rng.normal(0.25, 0.15, (N_FRAMES, 3, 3))
    steps[:, 2] = 0.0
    return np.array([[1.0, 1, 1], [3, 3, 3], [5, 2, 6]]) + np.cumsum(steps, axis=0)


def images(positions: np.ndarray, wrap: bool = True) -> list[Atoms]:
    results = [Atoms(SYMBOLS, positions=frame, cell=CELL, pbc=True) for frame in positions]
    for atoms in results:
        if wrap:
            atoms.wrap(eps=0)
    return results


def write_xdatcar(path: Path, positions: np.ndarray) -> None:
    rows = ["Li2Cl", "1.0", *(" ".join(map(str, row)) for row in CELL), "Li Cl", "2 1"]
    for number, atoms in enumerate(images(positions), start=1):
        rows.append(f"Direct configuration= {number:5d}")
        rows += [" ".join(f"{x:.8f}" for x in row) for row in atoms.get_scaled_positions()]
    path.write_text("\n".join(rows) + "\n")


def write_dump(path: Path, positions: np.ndarray, elements: bool) -> None:
    """Write a LAMMPS dump whose atoms are in another order than their ids."""
    lines = []
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = CELL
    bounds = [
        (min(0, xy, xz, xy + xz), lx + max(0, xy, xz, xy + xz), xy),
        (min(0, yz), ly + max(0, yz), xz),
        (0, lz, yz),
    ]
    for number, atoms in enumerate(images(positions)):
        lines += ["ITEM: TIMESTEP", str(5 * number), "ITEM: NUMBER OF ATOMS", "3", "ITEM: BOX BOUNDS xy xz yz pp pp pp"]
        lines += [" ".join(map(str, row)) for row in bounds]
        lines.append(f"ITEM: ATOMS id type{' element' if elements else ''} x y z")
        for index in (2, 0, 1):
            element = f" {SYMBOLS[index]}" if elements else ""
            place = " ".join(f"{x:.8f}" for x in atoms.positions[index])
            lines.append(f"{index + 1} {1 if index < 2 else 2}{element} {place}")
    path.write_text("\n".join(lines) + "\n")


WRITERS: dict[str, Callable[[Path, np.ndarray], object]] = {
    "xdatcar": write_xdatcar,
    "extxyz": lambda path, positions: write(path, images(positions), format="extxyz"),
    "traj": lambda path, positions: write(path, images(positions), format="traj"),
    "lammps-dump": lambda path, positions: write_dump(path, positions, elements=True),
}


def displacements(run: ImportedRun) -> np.ndarray:
    joined = np.concatenate([segment.get_array("positions") for segment in run.segments])
    return joined - joined[0]


def test_every_format_has_a_writer_here() -> None:
    assert set(WRITERS) == set(FORMATS) - set(DFT_READERS)  # those have tests of their own


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_a_wrapped_file_becomes_the_run_that_wrote_it(kind: str, truth: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "run.data"
    WRITERS[kind](path, truth)
    assert recognise(path) == kind
    run = import_run([path], FACTS)
    node = run.segments[0].store()
    assert displacements(run) == pytest.approx(truth - truth[0], abs=2e-5)
    assert node.get_array("positions").dtype == np.float32
    assert node.get_array("times") == pytest.approx(0.01 * np.arange(N_FRAMES))
    assert node.get_array("cells")[0] == pytest.approx(CELL)
    attributes = node.base.attributes.all
    assert attributes["symbols"] == SYMBOLS
    assert attributes["source_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (attributes["source_format"], attributes["level_of_theory"], attributes["sample_every"]) == (kind, "PBE", 5)
    assert any("unwrapped" in remark for remark in run.remarks)


def test_gzip_is_unpacked_on_the_way(truth: np.ndarray, tmp_path: Path) -> None:
    plain, packed = tmp_path / "XDATCAR", tmp_path / "XDATCAR.gz"
    write_xdatcar(plain, truth)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert np.array_equal(read_trajectory(packed).positions, read_trajectory(plain).positions)


def test_the_last_frame_of_a_killed_run_is_left_out(truth: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "XDATCAR"
    write_xdatcar(path, truth)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n 0.1 0.")
    assert len(read_trajectory(path).positions) == N_FRAMES - 1


def test_segments_go_on_across_the_boundary_and_keep_a_repeated_frame_once(truth: np.ndarray, tmp_path: Path) -> None:
    first, second = tmp_path / "XDATCAR.1", tmp_path / "XDATCAR.2"
    write_xdatcar(first, truth[:15])
    write_xdatcar(second, truth[14:])
    run = import_run([first, second], FACTS)
    assert displacements(run) == pytest.approx(truth - truth[0], abs=2e-5)
    steps = np.concatenate([segment.get_array("steps") for segment in run.segments])
    assert steps.tolist() == [5 * frame for frame in range(N_FRAMES)]
    assert any("kept once" in remark for remark in run.remarks)


def test_long_steps_of_an_unwrapped_file_are_real(truth: np.ndarray, tmp_path: Path) -> None:
    rare = truth[::15] * np.array([1.0, 1.0, 1.0])
    rare[1, 0] += [9.0, 0.0, 0.0]
    path = tmp_path / "run.extxyz"
    write(path, images(rare, wrap=False), format="extxyz")
    run = import_run([path], FACTS)
    assert displacements(run) == pytest.approx(rare - rare[0], abs=2e-5)


def test_steps_near_half_the_cell_are_warned_of(tmp_path: Path) -> None:
    positions = np.tile(np.array([[1.0, 1, 1], [3, 3, 3], [5, 2, 6]]), (4, 1, 1))
    positions[:, 0, 0] += 0.45 * 6.0 * np.arange(4)
    path = tmp_path / "XDATCAR"
    write_xdatcar(path, positions)
    remark = next(text for text in import_run([path], FACTS).remarks if text.startswith("WARNING"))
    assert "0.45 of the cell" in remark
    assert "10 fs" in remark


def test_a_dump_without_elements_follows_the_structure(truth: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "dump.lammpstrj"
    write_dump(path, truth, elements=False)
    structure = orm.StructureData(ase=images(truth)[0])
    run = import_run([path], FACTS, structure)
    assert run.segments[0].base.attributes.get("symbols") == SYMBOLS
    assert displacements(run) == pytest.approx(truth - truth[0], abs=2e-5)
    with pytest.raises(ValueError, match="give the structure"):
        import_run([path], FACTS)
    other = orm.StructureData(ase=Atoms(["Cl", "Li", "Li"], positions=truth[0], cell=CELL, pbc=True))
    with pytest.raises(ValueError, match="atoms of type 1 are Cl and Li"):
        import_run([path], FACTS, other)


def test_another_crystal_is_refused_with_the_difference(truth: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "XDATCAR"
    write_xdatcar(path, truth)
    smaller = orm.StructureData(ase=images(truth)[0][:2])
    with pytest.raises(ValueError, match=r"Cl1Li2 \(3 atoms\), the structure Li2 \(2 atoms\); give the supercell"):
        import_run([path], FACTS, smaller)


def test_numbers_that_are_none_are_refused(truth: np.ndarray, tmp_path: Path) -> None:
    truth[7, 1, 2] = np.nan
    path = tmp_path / "run.extxyz"
    write(path, images(truth, wrap=False), format="extxyz")
    with pytest.raises(ValueError, match="frame 7 are not finite"):
        import_run([path], FACTS)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]


@pytest.mark.parametrize("file_format", [None, *FORMATS])
def test_a_pickle_is_never_run(file_format: str | None, tmp_path: Path) -> None:
    path, trace = tmp_path / "run.traj", tmp_path / "exploded"
    path.write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ValueError, match=r"pickle|cannot be read"):
        import_run([path], FACTS, file_format=file_format)
    assert not trace.exists()


def test_what_is_no_trajectory_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing")
    with pytest.raises(ValueError, match="notes.txt: unknown trajectory format; give --format"):
        import_run([path], FACTS)
    with pytest.raises(ValueError, match="no such file"):
        import_run([tmp_path / "absent"], FACTS)


def test_a_molecule_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.extxyz"
    write(path, Atoms("Li2", positions=[[0, 0, 0], [2, 0, 0]]), format="extxyz")
    with pytest.raises(ValueError, match="no periodic cell"):
        import_run([path], FACTS, file_format="extxyz")


@pytest.mark.parametrize("wrong", [{"timestep_fs": 0.0}, {"sample_every": -1}, {"level_of_theory": " "}])
def test_facts_must_be_possible(wrong: dict[str, float]) -> None:
    right = {"timestep_fs": 1.0, "sample_every": 1, "target_temperature_K": 1.0, "level_of_theory": "x"}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RunFacts(**(right | wrong))  # type: ignore[arg-type]
