"""Result of a jump analysis, as attributes and arrays of a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.jumps.by_gemdat import Collective
from aiida_ion.analysis.jumps.by_gemdat import Vibration as GemdatVibration
from aiida_ion.analysis.jumps.network import network_dimension
from aiida_ion.analysis.jumps.percolation import Percolation
from aiida_ion.analysis.jumps.rates import JumpDiffusivity, JumpTable, JumpType, poisson_interval
from aiida_ion.analysis.jumps.sites import Sites
from aiida_ion.analysis.jumps.vibration import Vibration

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """What was analysed: frames, replicas, time, and interval of frames."""

    n_replicas: int
    n_ions: int
    analysed_time_ps: float
    frame_interval_fs: float
    stride: int
    n_frames_stored: int
    drift_A: float


@dataclass(frozen=True)
class JumpResult:
    """The jump analysis of one species at one temperature; names carry units."""

    mobile_species: str
    temperature_K: float
    sampling: Sampling
    cell: FloatArray
    sites: Sites
    site_radius_A: float
    occupancy: FloatArray
    at_no_site: float
    jumps: JumpTable
    types: list[JumpType]
    diffusivity: JumpDiffusivity
    vibration: Vibration
    gemdat_vibration: GemdatVibration
    attempt_frequency_THz: float
    attempt_frequency_source: str
    collective: Collective
    percolation: Percolation
    warnings: list[str]

    def attributes(self) -> dict[str, Any]:
        """Scalars and short lists, JSON-serialisable."""
        sampling, percolation, n_jumps = self.sampling, self.percolation, len(self.jumps)
        ion_time = sampling.n_ions * sampling.analysed_time_ps
        low, high = poisson_interval(n_jumps)
        return {
            "mobile_species": self.mobile_species,
            "temperature_K": self.temperature_K,
            "n_replicas": sampling.n_replicas,
            "n_mobile_ions": sampling.n_ions,
            "analysed_time_ps": sampling.analysed_time_ps,
            "frame_interval_fs": sampling.frame_interval_fs,
            "stride": sampling.stride,
            "n_frames_stored": sampling.n_frames_stored,
            "drift_A": sampling.drift_A,
            "n_sites": len(self.sites),
            "n_sites_from_density": int(self.sites.from_density.sum()),
            "site_kinds": self._site_kinds(),
            "site_radius_A": self.site_radius_A,
            "fraction_at_no_site": self.at_no_site,
            "n_jumps": n_jumps,
            "n_ions_jumped": self._ions_jumped(),
            "jump_rate_1_ps": n_jumps / ion_time,
            "jump_rate_ci95_1_ps": [low / ion_time, high / ion_time],
            "mean_residence_time_ps": ion_time / n_jumps if n_jumps else None,
            "jump_types": [kind.to_dict() for kind in self.types],
            "attempt_frequency_THz": self.attempt_frequency_THz,
            "attempt_frequency_source": self.attempt_frequency_source,
            "vibration_amplitude_A": self.vibration.amplitude_A,
            "gemdat_attempt_frequency_THz": self.gemdat_vibration.attempt_frequency_THz,
            "gemdat_vibration_amplitude_A": self.gemdat_vibration.amplitude_A,
            "jump_diffusivity_cm2_s": self.diffusivity.value,
            "jump_diffusivity_ci95_cm2_s": list(self.diffusivity.ci95),
            "jump_diffusivity_tensor_cm2_s": self.diffusivity.tensor.tolist(),
            "jump_network_dimension": self._network_dimension(),
            "n_collective_looked_at": self.collective.n_jumps,
            "collective_fraction": self._collective_fraction(),
            "percolation_dimension": percolation.dimension,
            "percolation_barriers_eV": percolation.barriers_eV,
            "percolation_bottleneck_counts": percolation.bottleneck_counts,
            "highest_visible_barrier_eV": percolation.highest_visible_eV,
            "warnings": self.warnings,
        }

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Sites, and the transitions between them as a sparse matrix: site left, site reached, its cell, count."""
        edges = np.column_stack([self.jumps.start, self.jumps.destination, self.jumps.image])
        edges, counts = np.unique(edges, axis=0, return_counts=True)
        return {
            "cell_A": self.cell,
            "site_fractional_coordinates": self.sites.fractional,
            "site_occupancy": self.occupancy,
            "site_from_density": self.sites.from_density.astype(np.int8),
            "transition_start_site": edges[:, 0],
            "transition_destination_site": edges[:, 1],
            "transition_image": edges[:, 2:],
            "transition_count": counts,
        }

    def _network_dimension(self) -> int:
        return network_dimension(self.jumps.start, self.jumps.destination, self.jumps.image)

    def _ions_jumped(self) -> int:
        return len(np.unique(np.column_stack([self.jumps.replica, self.jumps.ion]), axis=0))

    def _collective_fraction(self) -> float | None:
        looked_at, solo = self.collective
        return 1.0 - solo / looked_at if looked_at else None

    def _site_kinds(self) -> dict[str, dict[str, float]]:
        """Number and mean occupancy of sites of each kind."""
        labels = np.array(self.sites.labels)
        return {
            label: {"n_sites": int((labels == label).sum()), "occupancy": float(self.occupancy[labels == label].mean())}
            for label in dict.fromkeys(self.sites.labels)
        }
