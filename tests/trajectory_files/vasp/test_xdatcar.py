"""XDATCAR: headers, numbers, cut frames and columns that touch."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from ase.io.vasp import read_vasp_xdatcar
from pymatgen.io.vasp.outputs import Xdatcar

from aiida_ion.trajectory_files.vasp.xdatcar import read_xdatcar
from benchmarks.trajectory_writers import EDGE_A, SYMBOLS, synthetic_run, xdatcar, xdatcar_frames, xdatcar_header
from tests.trajectory_files.runs import displacements, read, warnings_of

RUN = synthetic_run(40)
TRUTH = RUN.positions - RUN.positions[0]


def write(folder: Path, text: str, name: str = "XDATCAR") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_it_is_read_as_ase_and_pymatgen_read_it(tmp_path: Path) -> None:
    path = write(tmp_path, xdatcar(RUN))
    result = read_xdatcar(path, None)
    others = read_vasp_xdatcar(path, index=slice(None))
    assert result.positions == pytest.approx(np.array([atoms.positions for atoms in others]), abs=1e-9)
    structures = Xdatcar(str(path)).structures
    assert result.positions == pytest.approx(np.array([one.cart_coords for one in structures]), abs=1e-9)
    assert result.symbols == SYMBOLS
    assert result.steps is not None
    assert result.steps.tolist() == list(range(1, 41))
    assert result.numbering == "frames"  # VASP numbers steps, joined files frames: one apart says neither


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" 1.0\n", f" -{EDGE_A**3:.6f}\n"),  # a volume, as in POSCAR
        ("9.200000", "4.600000"),  # with the scale of the next
        (" 1.0\n", " 1.0 1.0 1.0\n"),
        (" Li O\n", " Li_sv O_s/1a2b3c\n"),
        (" Li O\n 16 8\n", " Li\n O\n 16\n 8\n"),  # VASP breaks long lines
        (" Li O\n 16 8\n", " Li Li O\n 10 6 8\n"),
        ("\n", "\r\n"),
        ("Li2O\n", "\n"),  # a system without a name
        ("Direct configuration=", "Direct configuration ="),
    ],
)
def test_headers_that_say_the_same(old: str, new: str, tmp_path: Path) -> None:
    text = xdatcar(RUN).replace(old, new)
    if new == "4.600000":
        text = text.replace(" 1.0\n", " 2.0\n")
    run = read(write(tmp_path, text))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-7)
    assert run.segments[0].symbols == SYMBOLS
    assert np.linalg.det(run.segments[0].cells[0]) == pytest.approx(EDGE_A**3, rel=1e-6)


@pytest.mark.parametrize("end", ["\n", "\n\n  \n"])
def test_blank_lines_at_the_end_say_nothing(end: str, tmp_path: Path) -> None:
    run = read(write(tmp_path, xdatcar(RUN) + end))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-7)
    assert run.segments[0].report.n_left_out == 0


def test_columns_may_touch(tmp_path: Path) -> None:
    lines = xdatcar(RUN).splitlines()
    header, frames = lines[:7], lines[7:]
    texts = []
    for line in frames:
        numbers = [] if "=" in line else [float(word) - 10 for word in line.split()]
        texts.append("".join(f"{number:12.8f}" for number in numbers) if numbers else line)
    assert "-9.0" in texts[1].replace(" ", "") or "-" in texts[1][12:]
    run = read(write(tmp_path, "\n".join([*header, *texts]) + "\n"))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-7)


def test_columns_of_one_decimal_may_touch(tmp_path: Path) -> None:
    rows = "-9.5-9.4 0.1\n-9.5-9.4-0.1\n"
    text = "x\n1\n5 0 0\n0 5 0\n0 0 5\nLi O\n1 1\n" + "".join(
        f"Direct configuration= {number}\n{rows}" for number in (1, 2)
    )
    result = read_xdatcar(write(tmp_path, text), None)
    assert result.positions[0] / 5 == pytest.approx(np.array([[-9.5, -9.4, 0.1], [-9.5, -9.4, -0.1]]))


def test_cartesian_positions(tmp_path: Path) -> None:
    text = xdatcar_header()
    for number, frame in enumerate(RUN.positions, start=1):
        text += f"Cartesian configuration= {number}\n"
        text += "".join(" ".join(f"{x:.8f}" for x in row) + "\n" for row in frame)
    run = read(write(tmp_path, text))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-7)


def test_a_cell_that_changes_is_repeated_before_each_frame(tmp_path: Path) -> None:
    frames = xdatcar_frames(RUN).split("Direct")[1:]
    scales = np.linspace(1.0, 1.02, len(frames))
    text = "".join(xdatcar_header(scale=f"{s:.6f}") + "Direct" + frame for s, frame in zip(scales, frames, strict=True))
    run = read(write(tmp_path, text))
    assert np.cbrt(np.linalg.det(run.segments[0].cells)) == pytest.approx(EDGE_A * scales, rel=1e-5)
    assert "cell varies" in run.segments[0].report.cell


def test_numbers_say_how_many_steps_lie_between_frames(tmp_path: Path) -> None:
    path = write(tmp_path, xdatcar(RUN, range(50, 2050, 50)))
    run = read(path)
    assert run.facts.sample_every == 50
    (warning,) = warnings_of(run)
    assert "the file says 50, --sample-every 10" in warning
    run = read(path, override_file=True)
    assert run.facts.sample_every == 10
    assert "the option is used (--override-file)" in warnings_of(run)[0]
    run = read(path, given={"timestep_fs": 2.0, "target_temperature_K": 800.0, "level_of_theory": "LJ"})
    assert (run.facts.sample_every, warnings_of(run)) == (50, [])


def test_numbers_one_apart_do_not_say_it(tmp_path: Path) -> None:
    run = read(write(tmp_path, xdatcar(RUN)))
    assert (run.facts.sample_every, warnings_of(run)) == (10, [])


@pytest.mark.parametrize("lost", [1, 3, 24])
def test_a_frame_cut_at_the_end_is_left_out(lost: int, tmp_path: Path) -> None:
    lines = xdatcar(RUN).splitlines(keepends=True)
    run = read(write(tmp_path, "".join(lines[:-lost])))
    assert displacements(run) == pytest.approx(TRUTH[:-1], abs=2e-7)
    assert run.segments[0].report.n_left_out == 1
    assert any("After 39 frames one was cut off" in remark for remark in run.remarks)


def test_a_file_cut_anywhere_gives_whole_frames(tmp_path: Path) -> None:
    text = xdatcar(RUN[:12])
    begin = len(text) - 3 * len(xdatcar_frames(RUN[:1]))
    for end in range(begin, len(text), 37):
        run = read(write(tmp_path, text[:end]))
        n_frames = len(displacements(run))
        assert 8 <= n_frames <= 12
        assert displacements(run) == pytest.approx(TRUTH[:n_frames], abs=2e-7)


@pytest.mark.parametrize("lost", [3, 3.5, 23])
def test_the_next_run_appended_to_a_cut_one_goes_on(lost: float, tmp_path: Path) -> None:
    lines = xdatcar(RUN[:20]).splitlines(keepends=True)
    cut = "".join(lines[: -int(lost)]) + ("   0.12" if lost != int(lost) else "")
    run = read(write(tmp_path, cut + xdatcar(RUN[20:])))
    kept = np.r_[0:19, 20:40]
    assert displacements(run) == pytest.approx(TRUTH[kept], abs=2e-7)
    assert any("a frame is missing after the first 19" in warning for warning in warnings_of(run))


def test_deuterium_is_hydrogen_and_a_slip_needs_the_structure(tmp_path: Path) -> None:
    run = read(write(tmp_path, xdatcar(RUN).replace("Li O\n", "D O\n")))
    assert set(run.segments[0].symbols) == {"H", "O"}
    path = write(tmp_path, xdatcar(RUN).replace("Li O\n", "r O\n"))
    with pytest.raises(ValueError, match="'r' is not an element; give the structure"):
        read(path)
    run = read(path, symbols=["Zr"] * 16 + ["O"] * 8)
    assert run.segments[0].symbols[0] == "Zr"
    assert any("'r' is not an element" in warning for warning in warnings_of(run))


def test_files_of_vasp_4_need_the_structure(tmp_path: Path) -> None:
    path = write(tmp_path, xdatcar(RUN).replace(" Li O\n", ""))
    assert read(path, symbols=SYMBOLS).segments[0].symbols == SYMBOLS
    with pytest.raises(ValueError, match="names no elements"):
        read(path)


def test_a_compressed_file_that_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "XDATCAR.gz"
    path.write_bytes(gzip.compress(xdatcar(RUN).encode())[:-2000])
    run = read(path)
    n_frames = len(displacements(run))
    assert 0 < n_frames < 40
    assert displacements(run) == pytest.approx(TRUTH[:n_frames], abs=2e-7)
    assert any("ends early" in remark for remark in run.remarks)


def test_more_atoms_than_the_file_has_room_for_are_refused_at_once(tmp_path: Path) -> None:
    for counts in ("100000000000 8", "10000000 8"):
        with pytest.raises(ValueError, match="it states"):
            read(write(tmp_path, xdatcar(RUN).replace("16 8", counts)))


def test_a_number_cut_in_the_middle_of_the_file_is_named(tmp_path: Path) -> None:
    lines = xdatcar(RUN).splitlines()
    lines[99] = lines[99][:-4]
    with pytest.raises(ValueError, match="line 100: a number lacks digits"):
        read(write(tmp_path, "\n".join(lines) + "\n"))
