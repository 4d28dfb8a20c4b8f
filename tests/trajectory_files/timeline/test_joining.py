"""Several files, or several runs in one: order, overlap, gaps, wrapped or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.trajectory_writers import EDGE_A, SyntheticRun, dump, extxyz, synthetic_run, xdatcar
from tests.trajectory_files.runs import displacements, read, warnings_of

RUN = synthetic_run(60)
TRUTH = RUN.positions - RUN.positions[0]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("overlap", [0, 1, 7])
def test_files_that_overlap_are_one_run(overlap: int, wrapped: bool, tmp_path: Path) -> None:
    positions = RUN.wrapped() if wrapped else RUN.positions
    later = positions[30 - overlap :] + (0.0 if wrapped else 2 * EDGE_A)
    run = read(write(tmp_path, "a.extxyz", extxyz(positions[:30])), write(tmp_path, "b.extxyz", extxyz(later)))
    assert displacements(run) == pytest.approx(TRUTH, abs=3e-7)
    assert [segment.frames[0] for segment in run.segments] == [0, 30]
    assert run.segments[1].report.n_left_out == overlap
    if overlap:
        assert any("kept once" in remark for remark in run.remarks)


def test_each_atom_of_a_later_file_goes_on_from_its_nearest_image(tmp_path: Path) -> None:
    moved = RUN.positions[30:] + EDGE_A * np.random.default_rng(1).integers(-2, 3, (1, 24, 3))
    run = read(write(tmp_path, "a.extxyz", extxyz(RUN.positions[:30])), write(tmp_path, "b.extxyz", extxyz(moved)))
    assert displacements(run) == pytest.approx(TRUTH, abs=3e-7)


def test_files_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path, "a.extxyz", extxyz(RUN.wrapped()[:30]))
    two = write(tmp_path, "b.extxyz", extxyz(RUN.wrapped()[30:]))
    with pytest.raises(ValueError, match="the order is wrong"):
        read(two, one)
    one = write(tmp_path, "a.dump", dump(RUN.wrapped()[:30]))
    two = write(tmp_path, "b.dump", dump(RUN.wrapped()[30:], range(300, 600, 10)))
    with pytest.raises(ValueError, match="a.dump ends at 290, before b.dump begins at 300: give it first"):
        read(two, one)


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    one = write(tmp_path, "a/XDATCAR", xdatcar(RUN))
    two = write(tmp_path, "b/XDATCAR", xdatcar(RUN))
    for paths in ([one, one], [one, two]):
        with pytest.raises(ValueError, match=r"given twice|are the same file \(sha256\)"):
            read(*paths)
    part = write(tmp_path, "c/XDATCAR", xdatcar(RUN[20:40]))
    with pytest.raises(ValueError, match="c/XDATCAR adds nothing"):
        read(one, part)


def test_a_gap_between_files_is_refused_by_numbers_and_by_positions(tmp_path: Path) -> None:
    one = write(tmp_path, "a.dump", dump(RUN.wrapped()[:30]))
    two = write(tmp_path, "b.dump", dump(RUN.wrapped()[30:], range(500, 800, 10)))
    with pytest.raises(ValueError, match="steps 290 and 500 .* 20 frames are missing"):
        read(one, two)
    assert any("treated as consecutive" in warning for warning in warnings_of(read(one, two, override_file=True)))
    one = write(tmp_path, "a.extxyz", extxyz(RUN.wrapped()[:20]))
    two = write(tmp_path, "b.extxyz", extxyz(RUN.wrapped()[45:]))
    with pytest.raises(ValueError, match="frames are missing"):
        read(one, two)


def test_a_gap_within_a_file_without_numbers_is_refused(tmp_path: Path) -> None:
    positions = np.concatenate([RUN.wrapped()[:20], RUN.wrapped()[45:]])
    with pytest.raises(ValueError, match=r"between frames 19 and 20 of .* does not continue"):
        read(write(tmp_path, "run.extxyz", extxyz(positions)))


def test_hops_of_a_few_atoms_are_no_gap(tmp_path: Path) -> None:
    positions = RUN.positions[:1] + np.random.default_rng(2).normal(0.0, 0.05, RUN.positions.shape)
    positions[20:, 0] += 3.1
    positions[30:, 1] -= 3.1
    run = read(write(tmp_path, "run.extxyz", extxyz(positions % EDGE_A)))
    assert displacements(run) == pytest.approx(positions - positions[0], abs=3e-7)
    assert warnings_of(run) == []


def test_a_restart_from_an_earlier_step_replaces_what_came_after(tmp_path: Path) -> None:
    """A run that was killed at step 390 continues from its restart file of step 300, with other forces."""
    astray = synthetic_run(60, seed=11).positions
    astray = astray - astray[30] + RUN.positions[30]
    text = dump(np.concatenate([RUN.positions[:31], astray[31:40]]) % EDGE_A, range(0, 400, 10))
    text += dump(RUN.wrapped()[31:], range(310, 600, 10))
    run = read(write(tmp_path, "run.dump", text))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-5)
    assert any("9 frames after that, which differed" in warning for warning in warnings_of(run))


def test_a_restart_that_repeats_the_same_steps(tmp_path: Path) -> None:
    text = dump(RUN.wrapped()[:40]) + dump(RUN.wrapped()[30:], range(300, 600, 10))
    run = read(write(tmp_path, "run.dump", text))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-5)
    assert "run.dump: 10 frames repeat earlier ones and are kept once." in run.remarks
    assert warnings_of(run) == []


def test_two_runs_from_one_start_are_refused(tmp_path: Path) -> None:
    other = synthetic_run(60, seed=12).positions
    other[0] = RUN.positions[0]
    with pytest.raises(ValueError, match="two runs, not parts of one"):
        read(write(tmp_path, "XDATCAR", xdatcar(RUN) + xdatcar(SyntheticRun(other))))


def test_parts_of_other_intervals_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path, "a.dump", dump(RUN.wrapped()[:30]))
    two = write(tmp_path, "b.dump", dump(RUN.wrapped()[30:], range(295, 445, 5)))
    with pytest.raises(ValueError, match="the files differ: 10, 5"):
        read(one, two)


def test_steps_of_half_a_cell_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    walked = np.cumsum(rng.normal(0.0, 0.3 * EDGE_A, RUN.positions.shape), axis=0) % EDGE_A
    with pytest.raises(ValueError, match="many steps are that long"):
        read(write(tmp_path, "XDATCAR", xdatcar(SyntheticRun(walked))))


def test_long_steps_of_a_file_that_says_it_is_unwrapped_are_real(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    walked = np.cumsum(rng.normal(0.0, 0.3 * EDGE_A, RUN.positions.shape), axis=0)
    run = read(write(tmp_path, "run.dump", dump(walked, columns="id element xu yu zu")))
    assert displacements(run) == pytest.approx(walked - walked[0], abs=2e-5)


def test_image_flags_that_a_restart_forgot_are_made_good(tmp_path: Path) -> None:
    rest = RUN.positions[30:] - RUN.positions[30] + RUN.wrapped()[30]
    joined = np.concatenate([RUN.positions[:30] + 3 * EDGE_A, rest])
    run = read(write(tmp_path, "run.dump", dump(joined, columns="id element xu yu zu")))
    assert displacements(run) == pytest.approx(TRUTH, abs=2e-5)
    assert any("at frame 30 atoms jump by whole cells" in remark for remark in run.remarks)


def test_a_density_that_no_crystal_has(tmp_path: Path) -> None:
    text = xdatcar(RUN)
    with pytest.raises(ValueError, match="510 g/cm3"):
        read(write(tmp_path, "XDATCAR", text.replace(" 1.0\n", " 0.1\n")))
    run = read(write(tmp_path, "XDATCAR", text.replace(" 1.0\n", " 1.8897\n")))
    assert any("the density is 0.0755 g/cm3" in warning for warning in warnings_of(run))


def test_a_first_and_a_last_frame_off_the_grid_are_left_out(tmp_path: Path) -> None:
    steps = [4, *range(10, 590, 10), 583]
    run = read(write(tmp_path, "run.dump", dump(RUN.wrapped(), steps)))
    assert displacements(run) == pytest.approx(RUN.positions[1:-1] - RUN.positions[1], abs=2e-5)
    assert run.segments[0].report.n_left_out == 2
    assert [remark for remark in run.remarks if "left out" in remark] == [
        f"run.dump: frame {number} is closer than 10 to its neighbour; it is left out." for number in (4, 583)
    ]


def test_parts_that_differ_in_order_or_cell(tmp_path: Path) -> None:
    one = write(tmp_path, "a.extxyz", extxyz(RUN.wrapped()[:30]))
    lines = extxyz(RUN.wrapped()[30:]).splitlines(keepends=True)
    reordered = [
        line for low in range(0, len(lines), 26) for line in lines[low : low + 2] + lines[low + 25 : low + 1 : -1]
    ]
    with pytest.raises(ValueError, match="b.extxyz and a.extxyz have their atoms in different orders"):
        read(one, write(tmp_path, "b.extxyz", "".join(reordered)))
    wider = write(
        tmp_path, "b.extxyz", extxyz(RUN.wrapped()[30:]).replace("9.2 ", "9.5 ", 1).replace(f'"{EDGE_A} ', '"9.5 ')
    )
    assert any("are they one run?" in warning for warning in warnings_of(read(one, wider)))


def test_two_atoms_that_change_places_are_told(tmp_path: Path) -> None:
    positions = RUN.wrapped()
    positions[20, [3, 7]] = positions[20, [7, 3]]
    run = read(write(tmp_path, "run.extxyz", extxyz(positions)))
    (warning,) = warnings_of(run)
    assert "two atoms of one element swap places at frame 20, and at 1 more: does their order change?" in warning
