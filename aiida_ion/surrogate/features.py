"""Features of atoms in the network: vectors, which rotate with the crystal, and scalars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.surrogate.dataset import DISPLACED, Dataset, FloatArray
from aiida_ion.surrogate.settings import Settings

#: Lags, in frames, of the later motion.
LAGS = (1, 4, 16)
N_ELEMENTS = 119
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AtomFeatures:
    """Features of the atoms of one configuration.

    :param vectors: (N, n_vectors, 3).
    :param scalars: (N, n_scalars).
    """

    vectors: FloatArray
    scalars: FloatArray


def feature_sizes(settings: Settings) -> tuple[int, int]:
    """Return the numbers of vectors and scalars of an atom."""
    n_vectors = sum(name in settings.inputs for name in ("accelerations", "displacements"))
    n_vectors += 2 * len(LAGS) * ("later_motion" in settings.inputs)
    n_scalars = ("mobile" in settings.inputs) + N_ELEMENTS * ("species" in settings.inputs)
    return n_vectors, n_scalars


def graph_frames(dataset: Dataset, material: int, kind: int, settings: Settings) -> IntArray:
    """Return the configurations of a material that can be used as graphs."""
    frames = dataset.configurations(material, kind, settings.amplitudes_A)
    if "later_motion" in settings.inputs and len(frames) > 1:
        return frames[: max(1, len(frames) - LAGS[-1])]
    return frames


def atom_features(dataset: Dataset, configuration: int, settings: Settings) -> AtomFeatures:
    """Return the features of the atoms of a configuration; lengths in angstrom, accelerations in eV/(angstrom amu)."""
    material = int(dataset["material"][configuration])
    atoms = dataset.atoms(material)
    mobile = dataset["mobile"][atoms].astype(float)
    vectors: list[FloatArray] = []
    if "accelerations" in settings.inputs:
        vectors.append(dataset.accelerations([configuration])[0])
    if "displacements" in settings.inputs:
        vectors.append(_displacements(dataset, material, configuration))
    if "later_motion" in settings.inputs:
        vectors += _later_motion(dataset, material, configuration)
    scalars: list[FloatArray] = []
    if "mobile" in settings.inputs:
        scalars.append(mobile[:, None])
    if "species" in settings.inputs:
        scalars.append(np.eye(N_ELEMENTS)[dataset["atomic_numbers"][atoms]])
    n_atoms = len(mobile)
    stacked = np.stack(vectors, axis=1) if vectors else np.zeros((n_atoms, 0, 3))
    return AtomFeatures(stacked, np.concatenate(scalars, axis=1) if scalars else np.zeros((n_atoms, 0)))


def without_drift(displacements_A: FloatArray, mobile: npt.NDArray[np.bool_]) -> FloatArray:
    """Return displacements (..., N, 3) relative to the framework, or to all atoms if there is none."""
    still = ~mobile if (~mobile).any() else np.ones_like(mobile)
    relative: FloatArray = displacements_A - displacements_A[..., still, :].mean(axis=-2, keepdims=True)
    return relative


def _displacements(dataset: Dataset, material: int, configuration: int) -> FloatArray:
    """Return the displacements of the atoms from the reference positions, or from the start of their run, (N, 3)."""
    atoms = dataset.atoms(material)
    kind = int(dataset["kind"][configuration])
    start = dataset["reference_positions_A"][atoms]
    if kind != DISPLACED:
        start = dataset.positions(dataset.configurations(material, kind)[:1])[0]
    return without_drift(dataset.positions([configuration])[0] - start, dataset["mobile"][atoms].astype(bool))


def _later_motion(dataset: Dataset, material: int, configuration: int) -> list[FloatArray]:
    """Return displacement over and acceleration at each lag, (N, 3) each, limited to the last frame of a run."""
    frames = dataset.configurations(material, int(dataset["kind"][configuration]))
    here = int(np.searchsorted(frames, configuration))
    later = [int(frames[min(here + lag, len(frames) - 1)]) for lag in LAGS]
    positions = dataset.positions([configuration, *later])
    mobile = dataset["mobile"][dataset.atoms(material)].astype(bool)
    moved = without_drift(positions[1:] - positions[0], mobile)
    return [*moved, *dataset.accelerations(later)]
