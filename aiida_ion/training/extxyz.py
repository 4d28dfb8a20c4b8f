"""Labelled frames as extended XYZ: the text that trainers read, and whose hash a dataset keeps.

The text is written here and not by ASE, since the hash must stay the same with any version of ASE; ASE reads it back.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.extxyz import read_xyz
from ase.stress import voigt_6_to_full_3x3_stress
from numpy.typing import NDArray

from aiida_ion.training.frames import LabelledFrame

#: Digits behind the point: of positions (angstrom) and forces (eV/angstrom), energies (eV), stress (eV/angstrom^3).
DIGITS, ENERGY_DIGITS, STRESS_DIGITS = 8, 8, 12


@dataclass(frozen=True)
class ExtxyzKeys:
    """Names of the labels in the text: trainers differ, and one that finds no label may train on nothing.

    :param energy: of the energy of the cell, eV.
    :param forces: of the column of forces, eV/angstrom.
    :param stress: of the stress, eV/angstrom^3, positive in a stretched cell.
    """

    energy: str = "energy"
    forces: str = "forces"
    stress: str = "stress"


PLAIN_KEYS = ExtxyzKeys()


def write_extxyz(
    frames: Sequence[LabelledFrame], keys: ExtxyzKeys = PLAIN_KEYS, *, stress: bool = True, origin: bool = True
) -> str:
    """Return frames as extended XYZ.

    :param frames: the frames, in this order.
    :param keys: names of the labels.
    :param stress: whether to write the stress, of frames that have one.
    :param origin: whether to write split, source and index of each frame, too; the hash of a dataset is that of the
        text with them, so that it covers the split.
    """
    return "".join(_frame(frame, keys, stress, origin) for frame in frames)


def _frame(frame: LabelledFrame, keys: ExtxyzKeys, stress: bool, origin: bool) -> str:
    lattice = " ".join(f"{value:.{DIGITS}f}" for value in np.asarray(frame.cell).ravel())
    words = [f'Lattice="{lattice}"', f"Properties=species:S:1:pos:R:3:{keys.forces}:R:3"]
    words.append(f"{keys.energy}={frame.energy_eV:.{ENERGY_DIGITS}f}")
    if stress and frame.stress is not None:
        values = " ".join(f"{value:.{STRESS_DIGITS}f}" for value in np.asarray(frame.stress).ravel())
        words.append(f'{keys.stress}="{values}"')
    if origin:
        words += [f"split={frame.split}", f"source={frame.source}", f"frame={frame.index}"]
    words.append('pbc="T T T"')
    row = "%s" + f" %.{DIGITS}f" * 6 + "\n"
    numbers = np.concatenate([frame.positions, frame.forces], axis=1).tolist()
    body = "".join([row % (symbol, *six) for symbol, six in zip(frame.symbols, numbers, strict=True)])
    return f"{len(frame.symbols)}\n{' '.join(words)}\n{body}"


def text_sha256(text: str) -> str:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_extxyz(text: str, keys: ExtxyzKeys = PLAIN_KEYS) -> list[LabelledFrame]:
    """Return the labelled frames of a text.

    :param keys: names of the labels.
    :raises ValueError: for a frame without energy or forces under these names, or without a cell.
    """
    frames = []
    for number, atoms in enumerate(read_xyz(io.StringIO(text), slice(None))):
        labels = _labels(atoms)
        missing = [name for name in (keys.energy, keys.forces) if name not in labels]
        if missing:
            raise ValueError(
                f"frame {number} has no {', '.join(missing)}; it has {', '.join(sorted(labels)) or 'none'}"
            )
        if atoms.cell.rank < 3:
            raise ValueError(f"frame {number} has no periodic cell")
        frames.append(
            LabelledFrame(
                atoms.get_chemical_symbols(),
                atoms.positions,
                atoms.cell.array,
                float(labels[keys.energy]),
                np.asarray(labels[keys.forces], dtype=float),
                full_stress(labels.get(keys.stress)),
                str(atoms.info.get("split", "train")),
                int(atoms.info.get("source", 0)),
                int(atoms.info.get("frame", number)),
            )
        )
    return frames


def _labels(atoms: Atoms) -> Mapping[str, Any]:
    """Return everything that a frame states, under its own name; ASE keeps the usual names with a calculator."""
    results = atoms.calc.results if atoms.calc is not None else {}
    return {**atoms.info, **atoms.arrays, **results}


def full_stress(value: Any) -> NDArray[np.float64] | None:
    """Return a stress as a matrix, shape (3, 3); ``None`` where there is none.

    :param value: six numbers in the order of Voigt (xx, yy, zz, yz, xz, xy), or nine.
    """
    if value is None:
        return None
    array = np.asarray(value, dtype=float)
    matrix = voigt_6_to_full_3x3_stress(array) if array.size == 6 else array.reshape(3, 3)
    return np.asarray(matrix, dtype=float) if np.isfinite(matrix).all() else None
