"""Energies, forces and stress of files: the right ones, of the right atoms, or none."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from aiida_ion.trajectory_files.lone_frames import read_lone_frames
from aiida_ion.trajectory_files.read import read_trajectory, recognise

RNG = np.random.default_rng(3)
CELL = np.diag([6.0, 7.0, 8.0])
FORCES = RNG.normal(size=(4, 3, 3))
ENERGIES = RNG.normal(-20.0, 1.0, 4)
STRESS = RNG.normal(0.0, 0.01, (4, 6))


def frames() -> list[Atoms]:
    images = []
    for row in range(4):
        atoms = Atoms("Li2Cl", positions=[[1, 1, 1], [3, 3, 3 + 0.01 * row], [5, 2, 6]], cell=CELL, pbc=True)
        atoms.calc = SinglePointCalculator(atoms, energy=ENERGIES[row], forces=FORCES[row], stress=STRESS[row])
        images.append(atoms)
    return images


@pytest.mark.parametrize("file_format", ["extxyz", "traj"])
def test_labels_of_ase(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"run.{file_format}"
    write(path, frames(), format=file_format)
    labels = read_trajectory(path).labels
    assert labels is not None
    assert labels.energies_eV == pytest.approx(ENERGIES)
    assert labels.forces == pytest.approx(FORCES, abs=1e-7)
    xx, yy, zz, yz, xz, xy = STRESS[2]
    assert labels.stress[2] == pytest.approx(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))


def test_other_names_and_the_free_energy(tmp_path: Path) -> None:
    path = tmp_path / "run.extxyz"
    images = frames()
    for row, atoms in enumerate(images):
        atoms.calc = None
        atoms.info |= {"REF_energy": ENERGIES[row], "REF_stress": STRESS[row]}
        atoms.arrays["REF_forces"] = FORCES[row]
    write(path, images)
    labels = read_trajectory(path).labels
    assert labels is not None and labels.forces == pytest.approx(FORCES, abs=1e-7)
    both = frames()
    for atoms in both:
        atoms.calc.results["free_energy"] = atoms.calc.results["energy"] - 0.5
    write(path, both)
    labels = read_trajectory(path).labels
    assert labels is not None and labels.energies_eV == pytest.approx(ENERGIES - 0.5)


def test_forces_follow_their_atoms(tmp_path: Path) -> None:
    path = tmp_path / "run.extxyz"
    images = frames()
    for atoms in images:
        atoms.arrays["id"] = np.array([3, 1, 2])
    write(path, images)
    read = read_trajectory(path)
    assert read.symbols == ["Li", "Cl", "Li"]
    assert read.labels is not None and read.labels.forces == pytest.approx(FORCES[:, [1, 2, 0]], abs=1e-7)


def test_a_frame_without_forces_leaves_none(tmp_path: Path) -> None:
    path = tmp_path / "run.extxyz"
    images = frames()
    images[2].calc = None
    write(path, images)
    assert read_trajectory(path).labels is None
    with pytest.raises(ValueError, match="frame 2 has no energy, or no forces"):
        read_lone_frames(path)


def test_xz_by_content(tmp_path: Path) -> None:
    plain, packed = tmp_path / "run.extxyz", tmp_path / "run.packed"
    write(plain, frames())
    whole = lzma.compress(plain.read_bytes())
    packed.write_bytes(whole)
    assert recognise(packed) == "extxyz"
    assert len(read_trajectory(packed)) == 4
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"run\.packed"):
        read_trajectory(packed)


def test_lone_frames_are_sorted_by_composition(tmp_path: Path) -> None:
    path = tmp_path / "set.extxyz"
    other = Atoms("LiCl", positions=[[0, 0, 0], [3, 0, 0]], cell=CELL, pbc=True)
    other.calc = SinglePointCalculator(other, energy=-1.0, forces=np.ones((2, 3)))
    mixed = frames()
    write(path, [mixed[0], other, mixed[1]])
    first, second = read_lone_frames(path)
    assert (first.numbers.tolist(), second.numbers.tolist()) == ([0, 2], [1])
    assert (first.symbols, second.symbols) == (["Li", "Li", "Cl"], ["Li", "Cl"])
    assert np.isnan(second.labels.stress).all()
    text = path.read_text().splitlines()
    path.write_text("\n".join(text[:-2]) + "\n")
    with pytest.raises(ValueError, match="cut off"):
        read_lone_frames(path)
