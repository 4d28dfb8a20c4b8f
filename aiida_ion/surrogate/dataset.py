"""Training data of a surrogate: configurations of materials with forces, and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]

DISPLACED, TRAJECTORY, SHORT_MD = range(3)
KINDS = {"displaced": DISPLACED, "trajectory": TRAJECTORY, "short_md": SHORT_MD}
#: What the rows of each array are.
_ROWS = {
    "atomic_numbers": "atoms",
    "masses_amu": "atoms",
    "mobile": "atoms",
    "reference_positions_A": "atoms",
    "cells_A": "materials",
    "log10_slope": "materials",
    "log10_slope_std": "materials",
    "censored": "materials",
    "short_md_steps_fs": "materials",
    "material": "configurations",
    "kind": "configurations",
    "amplitude_A": "configurations",
    "time_fs": "configurations",
    "positions_A": "positions",
    "forces_eV_A": "positions",
    "replica_log10_slope": "replicas",
}
_OFFSETS = {
    "atom_offsets": ("materials", "atoms"),
    "position_offsets": ("configurations", "positions"),
    "replica_offsets": ("materials", "replicas"),
}


@dataclass(frozen=True)
class Dataset:
    """Materials with their configurations.

    :param arrays: M materials, A atoms, C configurations, P positions (the atoms of all configurations), R replicas:
        ``atom_offsets`` (M+1,), ``atomic_numbers`` (A,), ``masses_amu`` (A,), ``mobile`` (A,),
        ``reference_positions_A`` (A, 3), ``cells_A`` (M, 3, 3), ``material``, ``kind``, ``amplitude_A``, ``time_fs``
        (C,), ``position_offsets`` (C+1,), ``positions_A`` and ``forces_eV_A`` (P, 3), ``log10_slope`` (slope of the
        MSD in angstrom^2/ps), ``log10_slope_std``, ``censored`` (the label is an upper bound) and
        ``short_md_steps_fs`` (M,), ``replica_offsets`` (M+1,) and ``replica_log10_slope`` (R,).
    :param materials: description of each material: ``formula``, ``chemical_system``, ``prototype``, ...
    """

    arrays: Mapping[str, Array]
    materials: Sequence[Mapping[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.arrays["log10_slope"])

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def atoms(self, material: int) -> slice:
        """Return the rows of a material in the arrays of atoms."""
        offsets = self["atom_offsets"]
        return slice(int(offsets[material]), int(offsets[material + 1]))

    def rows(self, configuration: int) -> slice:
        """Return the rows of a configuration in the arrays of positions."""
        offsets = self["position_offsets"]
        return slice(int(offsets[configuration]), int(offsets[configuration + 1]))

    def configurations(self, material: int, kind: int, amplitudes_A: Sequence[float] = ()) -> npt.NDArray[np.int64]:
        """Return the configurations of one kind of a material, in order of time.

        :param amplitudes_A: amplitudes of displaced configurations; all if empty.
        """
        chosen = (self["material"] == material) & (self["kind"] == kind)
        if amplitudes_A and kind == DISPLACED:
            chosen &= np.isclose(self["amplitude_A"][:, None], np.asarray(amplitudes_A)[None]).any(axis=1)
        return np.flatnonzero(chosen)

    def positions(self, configurations: Sequence[int] | npt.NDArray[np.int64]) -> FloatArray:
        """Return the positions of configurations of one material, (n, N, 3), angstrom."""
        return np.array(
            [self["positions_A"][self.rows(int(configuration))] for configuration in configurations], dtype=float
        )

    def accelerations(self, configurations: Sequence[int] | npt.NDArray[np.int64]) -> FloatArray:
        """Return accelerations (forces over masses) of configurations of one material, (n, N, 3), eV/(angstrom amu)."""
        if len(configurations) == 0:
            return np.zeros((0, 0, 3))
        masses = self["masses_amu"][self.atoms(int(self["material"][configurations[0]]))]
        forces = np.array(
            [self["forces_eV_A"][self.rows(int(configuration))] for configuration in configurations], dtype=float
        )
        return forces / masses[:, None]

    def replicas(self) -> Iterator[FloatArray]:
        """Return the finite labels of the replicas of each material."""
        offsets = self["replica_offsets"]
        for first, last in pairwise(offsets):
            slopes = self["replica_log10_slope"][first:last]
            yield slopes[np.isfinite(slopes)]

    def with_forces(self, forces_eV_A: Array) -> Dataset:
        """Return a copy with other forces."""
        return replace(self, arrays={**self.arrays, "forces_eV_A": forces_eV_A})


def read_dataset(path: Path, materials: Sequence[Mapping[str, Any]] | None = None) -> Dataset:
    """Read a dataset from a ``.npz`` file; nothing is unpickled.

    :raises ValueError: for a missing array, or inconsistent shapes.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    dataset = Dataset(arrays, list(materials or []))
    problem = validate_dataset(dataset)
    if problem:
        raise ValueError(problem)
    return dataset


def validate_dataset(dataset: Dataset) -> str | None:
    """Return what is wrong with the arrays of a dataset, None if they are consistent."""
    arrays = dataset.arrays
    missing = sorted((set(_ROWS) | set(_OFFSETS)) - set(arrays))
    if missing:
        return f"the dataset lacks {', '.join(missing)}"
    sizes = {"materials": len(arrays["log10_slope"]), "configurations": len(arrays["material"])}
    sizes |= {"atoms": len(arrays["masses_amu"]), "positions": len(arrays["positions_A"])}
    sizes |= {"replicas": len(arrays["replica_log10_slope"])}
    wrong = [name for name, counted in _ROWS.items() if len(arrays[name]) != sizes[counted]]
    for name, (counted, within) in _OFFSETS.items():
        offsets = arrays[name]
        ordered = len(offsets) == sizes[counted] + 1 and (np.diff(offsets) >= 0).all()
        if not ordered or offsets[0] != 0 or offsets[-1] != sizes[within]:
            wrong.append(name)
    if wrong:
        return f"arrays of the dataset are inconsistent: {', '.join(sorted(wrong))}"
    return _find_wrong_content(dataset, sizes["materials"])


def _find_wrong_content(dataset: Dataset, n_materials: int) -> str | None:
    owners = dataset["material"]
    if n_materials == 0 or len(owners) == 0:
        return "the dataset is empty"
    if owners.min() < 0 or owners.max() >= n_materials:
        return "a configuration of the dataset belongs to no material"
    n_atoms = np.diff(dataset["atom_offsets"])
    if (np.diff(dataset["position_offsets"]) != n_atoms[owners]).any():
        return "a configuration of the dataset does not have the atoms of its material"
    if not all(np.isfinite(dataset[name]).all() for name in ("positions_A", "forces_eV_A", "cells_A")):
        return "a position, force or cell of the dataset is not finite"
    if dataset.materials and len(dataset.materials) != n_materials:
        return f"{len(dataset.materials)} materials are described, but the arrays have {n_materials}"
    return None
