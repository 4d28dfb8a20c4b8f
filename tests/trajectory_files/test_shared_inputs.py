"""Trajectories rebuilt from faults that people reported of other programs; skipped where they are not there."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.trajectory_files.runs import displacements, read, warnings_of

ARCHIVE = Path(__file__).parents[3] / "shared" / "cases" / "import.tar.xz"
#: By displacement over two frames, cm^2/s.
DIFFUSIVITY_CM2_S = 4.91e-5
LAG = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not ARCHIVE.is_file():
        pytest.skip(f"no {ARCHIVE.name} of shared inputs beside this checkout")
    target = tmp_path_factory.mktemp("inputs")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(target, filter="data")
    (first,) = target.rglob("base")
    return first.parent


def diffusivity_cm2_s(paths: list[Path], mobile: str = "Li") -> tuple[float, int, list[str]]:
    run = read(*paths)
    positions = displacements(run)[:, [symbol == mobile for symbol in run.segments[0].symbols]]
    squares = ((positions[LAG:] - positions[:-LAG]) ** 2).sum(axis=2)
    value = float(squares.mean()) / 6 / (LAG * run.facts.interval_fs * 1e-3) * 1e-4
    return value, len(positions), warnings_of(run)


@pytest.mark.parametrize(
    "files",
    [
        ["base/XDATCAR"],
        ["dump_stray/dump.lammpstrj"],
        ["dump_stray_xs/dump.lammpstrj"],
        ["dump_units_electron/dump.lammpstrj"],
        ["traj_many/md.traj"],
        ["traj_segments/a.extxyz", "traj_segments/b.extxyz"],
        ["traj_segments/ab.extxyz"],
        ["xd_blank_end/XDATCAR"],
        ["xd_negscale/XDATCAR"],
        ["xd_touching2/XDATCAR"],
        ["xyz_ids_shuffled/run.extxyz"],
    ],
    ids=lambda files: files[0],
)
def test_the_right_diffusivity_without_a_warning(files: list[str], folder: Path) -> None:
    value, n_frames, warnings = diffusivity_cm2_s([folder / file for file in files])
    assert value == pytest.approx(DIFFUSIVITY_CM2_S, rel=0.01)
    assert n_frames == 600
    assert warnings == []


@pytest.mark.parametrize(
    ("file", "factor", "n_frames", "words"),
    [
        ("dump_steps100/dump.lammpstrj", 0.1, 600, "the file says 100, --sample-every 10; the file is used"),
        ("xd_nblock50/XDATCAR", 0.2, 600, "the file says 50, --sample-every 10; the file is used"),
        ("xd_cut_cat/XDATCAR", 1.0, 599, "a frame is missing after the first 299"),
    ],
)
def test_the_right_diffusivity_with_a_word(file: str, factor: float, n_frames: int, words: str, folder: Path) -> None:
    value, result, warnings = diffusivity_cm2_s([folder / file])
    assert value == pytest.approx(factor * DIFFUSIVITY_CM2_S, rel=0.01)
    assert result == n_frames
    assert any(words in warning for warning in warnings)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["dump_frames_swapped/dump.lammpstrj"], "the frames are out of order: number 100 follows 110"),
        (["dump_gap/dump.lammpstrj"], "steps 1990 and 4000 follow each other.* 200 frames are missing"),
        (["dump_no_id/dump.lammpstrj"], "have no ids, and their order changes"),
        (["lammps_real/noid_u.lammpstrj"], "have no ids, and their order changes"),
        (["traj_segments/b.extxyz", "traj_segments/a.extxyz"], "the order is wrong"),
        (["traj_segments/b.traj"], "it holds no frame"),
        (["xd_gap/XDATCAR"], "configurations 200 and 261 follow each other.* 60 frames are missing"),
        (["base/XDATCAR", "base/XDATCAR"], "is given twice"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_refused(files: list[str], words: str, folder: Path) -> None:
    with pytest.raises(ValueError, match=words):
        read(*(folder / file for file in files))


def test_the_cell_of_a_negative_scale(folder: Path) -> None:
    cell = read(folder / "xd_negscale" / "XDATCAR").segments[0].cells[0]
    assert abs(np.linalg.det(cell)) == pytest.approx(778.688)


def test_deuterium(folder: Path) -> None:
    run = read(folder / "xd_sym_deut" / "XDATCAR")
    assert run.segments[0].symbols == ["H"] * 16 + ["O"] * 8
    assert any("D are read as H (deuterium)" in remark for remark in run.remarks)


def test_lammps_wrapped_and_unwrapped_give_the_same_displacements(folder: Path) -> None:
    wrapped, unwrapped = (read(folder / "lammps_real" / f"{name}.lammpstrj") for name in ("wrapped", "unwrapped"))
    # LAMMPS prints six digits, so 5e-5 at 16 angstrom; a displacement takes two of each.
    assert displacements(wrapped) == pytest.approx(displacements(unwrapped), abs=2e-4)


def test_atoms_on_a_face_do_not_leave_it(folder: Path) -> None:
    run = read(folder / "inert_faces" / "x.extxyz")
    assert np.abs(displacements(run)).max() < 3.0
    assert warnings_of(run) == []
