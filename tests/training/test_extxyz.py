"""The text of frames is read back by ASE with all its digits."""

from __future__ import annotations

import io

import numpy as np
import pytest
from ase.io.extxyz import read_xyz

from aiida_ion.training.cells import wrap
from aiida_ion.training.extxyz import ExtxyzKeys, read_extxyz, text_sha256, write_extxyz
from aiida_ion.training.frames import LabelledFrame
from tests.training.md import run_md

MD = run_md(n_frames=120)


def frames(with_stress: bool = True) -> list[LabelledFrame]:
    return [
        LabelledFrame(
            MD.symbols,
            wrap(MD.positions[row], MD.cell),
            MD.cell,
            float(MD.energies_eV[row]),
            MD.forces[row],
            MD.stress[row] if with_stress else None,
            "validation",
            3,
            row,
        )
        for row in (0, 7)
    ]


@pytest.mark.parametrize("keys", [ExtxyzKeys(), ExtxyzKeys("REF_energy", "REF_forces", "REF_stress")])
def test_text_is_read_back(keys: ExtxyzKeys) -> None:
    given = frames()
    for before, after in zip(given, read_extxyz(write_extxyz(given, keys), keys), strict=True):
        assert tuple(after.symbols) == before.symbols
        assert after.positions == pytest.approx(before.positions, abs=1e-8)
        assert after.forces == pytest.approx(before.forces, abs=1e-8)
        assert after.energy_eV == pytest.approx(before.energy_eV, abs=1e-8)
        assert before.stress is not None and after.stress == pytest.approx(before.stress, abs=1e-10)
        assert (after.split, after.source, after.index) == ("validation", 3, before.index)


def test_labels_under_other_names_are_missing() -> None:
    with pytest.raises(ValueError, match="frame 0 has no REF_energy, REF_forces; it has energy"):
        read_extxyz(write_extxyz(frames()), ExtxyzKeys("REF_energy", "REF_forces"))


def test_labels_alone_are_what_ase_takes_for_results() -> None:
    text = write_extxyz(frames(with_stress=False), origin=False)
    assert "split" not in text and "stress" not in text
    atoms = next(read_xyz(io.StringIO(text), 0))
    assert set(atoms.calc.results) == {"energy", "forces"}
    assert atoms.pbc.all()
    assert atoms.cell.array == pytest.approx(MD.cell)


def test_the_hash_covers_split_and_label() -> None:
    one, other = frames()
    texts = {write_extxyz([one, other])}
    for changed in ({"split": "train"}, {"energy_eV": one.energy_eV + 1e-7}, {"index": 5}):
        texts.add(write_extxyz([LabelledFrame(**{**vars(one), **changed}), other]))
    assert len({text_sha256(text) for text in texts}) == 4


def test_wrapped_positions_are_in_the_cell_and_of_the_same_crystal() -> None:
    cell = np.array([[4.0, 0.3, 0.0], [1.5, 5.0, -0.4], [0.2, -1.0, 3.5]])
    positions = np.random.default_rng(1).uniform(-60, 60, (50, 3))
    inside = wrap(positions, cell)
    fractions = inside @ np.linalg.inv(cell)
    assert (fractions > -1e-8).all() and (fractions < 1 + 1e-8).all()
    images = (positions - inside) @ np.linalg.inv(cell)
    assert images == pytest.approx(np.round(images), abs=1e-9)
    with pytest.raises(ValueError, match="no volume"):
        wrap(positions, np.ones((3, 3)))
