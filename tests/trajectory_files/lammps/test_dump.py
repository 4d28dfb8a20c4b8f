"""LAMMPS dumps: columns, units, ids, straying atoms, steps and times."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from ase import units
from ase.io import iread

from aiida_ion.trajectory_files.lammps.dump import read_lammps_dump
from benchmarks.trajectory_writers import EDGE_A, SYMBOLS, dump, synthetic_run
from tests.trajectory_files.runs import FACTS, displacements, read, warnings_of

RUN = synthetic_run(40)
TRUTH = RUN.positions - RUN.positions[0]
STEPS = list(range(0, 400, 10))


def write(folder: Path, text: str, name: str = "dump.lammpstrj") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("columns", "wrapping"),
    [
        ("id type element x y z", "wrapped"),
        ("id element xs ys zs", "wrapped"),
        ("id mass type xu yu zu", "not wrapped"),
        ("id element xsu ysu zsu", "not wrapped"),
        ("id element x y z ix iy iz", "not wrapped"),
        ("id element xs ys zs ix iy iz", "not wrapped"),
    ],
)
def test_every_kind_of_position_gives_the_run(columns: str, wrapping: str, tmp_path: Path) -> None:
    positions = RUN.positions if "u" in columns or "ix" in columns else RUN.wrapped()
    run = read(write(tmp_path, dump(positions, columns=columns)))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-5)
    assert run.segments[0].symbols == SYMBOLS
    assert wrapping in run.segments[0].report.wrapping
    assert run.segments[0].report.program == "LAMMPS"
    assert warnings_of(run) == []


@pytest.mark.parametrize("every", [2, 5, 10, 40])
def test_atoms_that_stray_until_the_next_neighbour_list_are_unwrapped(every: int, tmp_path: Path) -> None:
    strayed = RUN.strayed(every)
    run = read(write(tmp_path, dump(strayed)))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-5)


def test_a_dump_is_read_as_ase_reads_it(tmp_path: Path) -> None:
    text = dump(RUN.wrapped()).replace("BOX BOUNDS pp pp pp", "BOX BOUNDS xy xz yz pp pp pp")
    path = write(tmp_path, text.replace(f"0 {EDGE_A}\n", f"-1.5 {EDGE_A + 1} 0.5\n"))
    result = read_lammps_dump(path, None)
    others = list(iread(path, index=":", format="lammps-dump-text"))
    expected = [atoms.positions - atoms.get_celldisp().ravel() for atoms in others]
    assert result.positions == pytest.approx(np.array(expected))
    assert result.cells[0] == pytest.approx(others[0].cell.array)


def test_a_general_triclinic_box(tmp_path: Path) -> None:
    text = dump(RUN.wrapped()).replace("BOX BOUNDS pp pp pp", "BOX BOUNDS abc origin pp pp pp")
    vectors = np.array([[9.0, 0.5, 0.1], [-0.4, 9.1, 0.2], [0.3, -0.2, 9.3]])
    rows = "".join(f"{a} {b} {c} {origin}\n" for (a, b, c), origin in zip(vectors, (1.0, 2.0, 3.0), strict=True))
    result = read_lammps_dump(write(tmp_path, text.replace(3 * f"0 {EDGE_A}\n", rows)), None)
    assert result.cells[0] == pytest.approx(vectors)
    assert result.positions[0] == pytest.approx(RUN.wrapped()[0] - [1.0, 2.0, 3.0], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "angstroms"),
    [("metal", 1.0), ("real", 1.0), ("electron", units.Bohr), ("nano", 10.0), ("si", 1e10), ("cgs", 1e8)],
)
def test_units_that_the_file_names_are_heeded(name: str, angstroms: float, tmp_path: Path) -> None:
    lines = []
    for line in dump(RUN.wrapped(), columns="id element x y z").splitlines():
        words = line.split()
        if len(words) == 5 and words[1] in SYMBOLS:
            words[2:] = [f"{float(word) / angstroms:.9e}" for word in words[2:]]
        elif words == ["0", str(EDGE_A)]:
            words[1] = f"{EDGE_A / angstroms:.12e}"
        lines.append(" ".join(words))
    run = read(write(tmp_path, f"ITEM: UNITS\n{name}\n" + "\n".join(lines) + "\n"))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-5)
    assert run.segments[0].cells[0] == pytest.approx(EDGE_A * np.eye(3))
    assert name in run.segments[0].report.units or angstroms == 1.0


def test_reduced_units_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units are lj"):
        read(write(tmp_path, "ITEM: UNITS\nlj\n" + dump(RUN.wrapped())))


def test_steps_say_how_many_lie_between_frames(tmp_path: Path) -> None:
    path = write(tmp_path, dump(RUN.wrapped(), [10 * step for step in STEPS]))
    run = read(path)
    assert run.facts.interval_fs == 200.0
    (warning,) = warnings_of(run)
    assert "the file says 100, --sample-every 10; the file is used" in warning


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([*STEPS[:20], *range(400, 600, 10)], "20 frames are missing"),
        ([*STEPS[:20], 210, 200, *STEPS[22:]], "out of order"),
        (STEPS[::-1], "out of order"),
        ([*STEPS[:20], *range(200, 600, 20)], "follow each other, but are 10 elsewhere"),
    ],
)
def test_steps_that_are_no_even_line_are_refused(steps: list[int], words: str, tmp_path: Path) -> None:
    path = write(tmp_path, dump(RUN.wrapped(), steps))
    with pytest.raises(ValueError, match=words):
        read(path)


def test_times_say_the_time_step(tmp_path: Path) -> None:
    text = dump(RUN.wrapped()).replace("ITEM: TIMESTEP", "ITEM: TIME\n{}\nITEM: TIMESTEP")
    picoseconds = text.format(*[step * 0.001 for step in STEPS])
    run = read(write(tmp_path, "ITEM: UNITS\nmetal\n" + picoseconds))
    assert run.facts.timestep_fs == pytest.approx(1.0)
    assert "the file says 1 fs, --timestep-fs 2 fs" in warnings_of(run)[0]
    with pytest.raises(ValueError, match="time step is 0.001 or 1 fs"):
        read(write(tmp_path, picoseconds))  # in neither unit is it 2 fs
    assert warnings_of(read(write(tmp_path, picoseconds), given=FACTS | {"timestep_fs": 1.0})) == []


def test_without_ids_the_order_must_be_proven(tmp_path: Path) -> None:
    run = read(write(tmp_path, dump(RUN.positions, columns="element xu yu zu", seed=None)))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-5)
    assert any("no ids" in remark for remark in run.remarks)
    swapped = RUN.positions.copy()
    swapped[25:, [3, 4]] = swapped[25:, [4, 3]]
    path = write(tmp_path, dump(swapped, columns="element xu yu zu", seed=None))
    with pytest.raises(ValueError, match="have no ids, and their order changes .*frame 25"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("\n24 2 O", "\n25 2 O", r"frame 39 \(step 390\): its atoms .* lacks 24 and has new 25"),
        ("\n24 2 O", "\n23 2 O", "two atoms have the id 23"),
        ("\n24 2 O", "\n24 2 N", "an atom changes its element"),
        ("\n24 2 O", "\n24 1 O", "an atom changes its type"),
    ],
)
def test_atoms_must_stay_the_same(old: str, new: str, words: str, tmp_path: Path) -> None:
    before, _, after = dump(RUN.wrapped()).rpartition(old)
    with pytest.raises(ValueError, match=words):
        read(write(tmp_path, before + new + after))


def test_a_box_with_open_ends_is_refused_unless_overridden(tmp_path: Path) -> None:
    path = write(tmp_path, dump(RUN.wrapped(), bounds="pp pp ff"))
    with pytest.raises(ValueError, match="not periodic along c"):
        read(path)
    assert "treated as periodic" in warnings_of(read(path, override_file=True))[0]


def test_elements_by_mass_and_by_structure(tmp_path: Path) -> None:
    run = read(write(tmp_path, dump(RUN.wrapped(), columns="id mass x y z")))
    assert run.segments[0].symbols == SYMBOLS
    path = write(tmp_path, dump(RUN.wrapped()).replace(" Li ", " C ").replace(" O ", " C "))
    with pytest.raises(ValueError, match="all its types are named C"):
        read(path)
    assert read(path, symbols=SYMBOLS).segments[0].symbols == SYMBOLS


def test_a_dump_cut_anywhere_gives_whole_frames(tmp_path: Path) -> None:
    text = dump(RUN.wrapped()[:12])
    for end in range(len(text) - 2500, len(text), 53):
        run = read(write(tmp_path, text[:end]))
        n_frames = len(displacements(run))
        assert displacements(run) == pytest.approx(TRUTH[:n_frames], abs=2e-5)
        assert run.segments[0].report.n_left_out == (0 if text[:end].endswith("\n") and n_frames == 12 else 1)


def test_a_cut_dump_with_the_next_run_appended(tmp_path: Path) -> None:
    cut = dump(RUN.wrapped()[:20], STEPS[:20])[:-40]
    run = read(write(tmp_path, cut + dump(RUN.wrapped()[20:], STEPS[20:])))
    assert displacements(run) == pytest.approx(TRUTH[np.r_[0:19, 20:40]], abs=2e-5)
    assert any("a frame is missing after the first 19" in warning for warning in warnings_of(run))


def test_gzip_by_content(tmp_path: Path) -> None:
    path = tmp_path / "dump.lammpstrj"
    path.write_bytes(gzip.compress(dump(RUN.wrapped()).encode()))
    assert displacements(read(path)) == pytest.approx(TRUTH, abs=2e-5)
