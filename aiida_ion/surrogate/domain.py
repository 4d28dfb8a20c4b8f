"""Whether a material is similar to the training materials of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from aiida_ion.surrogate.dataset import KINDS, Dataset, FloatArray
from aiida_ion.surrogate.invariants import material_invariants
from aiida_ion.surrogate.samples import Standard
from aiida_ion.surrogate.settings import Settings

#: The distance of a material is the mean over this many nearest training materials.
N_NEAREST = 3
#: A material is in the domain if its distance is below this quantile of the distances among training materials.
QUANTILE = 0.99
_TINY = 1e-12


@dataclass(frozen=True)
class Domain:
    """The domain of the training materials of a model.

    :param descriptors: (M, n), see `descriptors`.
    :param limit: distance beyond which a material is outside, in standard deviations.
    """

    descriptors: FloatArray
    limit: float

    @classmethod
    def of(cls, descriptors: FloatArray) -> Domain:
        """Return the domain of materials (M, n)."""
        own = cls(descriptors, np.inf)
        return cls(descriptors, float(np.quantile(own._distances(descriptors, leave_out_self=True), QUANTILE)))

    def distances(self, descriptors: FloatArray) -> FloatArray:
        """Return the distances of materials (m, n) from the training materials, (m,), in standard deviations."""
        return self._distances(descriptors, leave_out_self=False)

    def _distances(self, descriptors: FloatArray, leave_out_self: bool) -> FloatArray:
        standard = Standard.of(self.descriptors)
        known = _filled(standard, self.descriptors)
        distances = cdist(_filled(standard, descriptors), known) / np.sqrt(known.shape[1])
        if leave_out_self:
            np.fill_diagonal(distances, np.inf)
        n_nearest = min(N_NEAREST, len(known) - 1 if leave_out_self else len(known))
        nearest: FloatArray = np.sort(distances, axis=1)[:, : max(n_nearest, 1)].mean(axis=1)
        return nearest


def descriptors(dataset: Dataset, settings: Settings) -> FloatArray:
    """Return descriptors of materials, (M, n): densities, fraction of mobile ions, masses, accelerations."""
    return np.array([_descriptor(dataset, material, settings) for material in range(len(dataset))])


def _descriptor(dataset: Dataset, material: int, settings: Settings) -> FloatArray:
    atoms = dataset.atoms(material)
    mobile = dataset["mobile"][atoms].astype(bool)
    masses = dataset["masses_amu"][atoms]
    frames = dataset.configurations(material, KINDS[settings.kind], settings.amplitudes_A)
    accelerations = np.linalg.norm(dataset.accelerations(frames), axis=2)
    sizes = [accelerations[:, which].mean() if which.any() else np.nan for which in (mobile, ~mobile)]
    other = masses[~mobile].mean() if (~mobile).any() else masses.mean()
    return np.array(
        [
            *material_invariants(dataset, material, ("structure",)),
            np.log10(masses[mobile].mean()),
            np.log10(other),
            *np.log10(np.maximum(sizes, _TINY)),
        ]
    )


def _filled(standard: Standard, values: FloatArray) -> FloatArray:
    scaled = (values - standard.mean) / standard.spread
    return np.where(np.isfinite(scaled), scaled, 0.0)
