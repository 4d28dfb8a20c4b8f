"""Result of a diffusion analysis: flat numbers with units in their names, and a few arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.verdicts import LARGEST_IN_SOLIDS, MAX_INTERVAL_DECADES, WITH_POSTERIOR

FloatArray = npt.NDArray[np.float64]
Interval = tuple[float, float]
#: A 3 x 3 matrix.
Matrix = list[list[float]]


@dataclass
class DiffusionResult:
    """Diffusion of one mobile species at one temperature. Undetermined quantities are ``None``.

    ``verdict`` is ``moved`` (there is a diffusivity), ``poorly_known`` (there is one, with a 95 % interval wider than
    ``max_interval_decades``) or ``bound`` (there is only an upper bound); ``reason`` says why it is not the first.
    ``checks`` holds each check as a mapping (see :class:`aiida_ion.analysis.checks.check.Check`); a result with
    ``refused_because``, the message of the first failed check, must not be used in any fit.

    ``species`` has a mapping for each element: its role, hops, and diffusivity or bound. Diffusivities and
    ``ionic_conductivity_mS_cm`` (Nernst-Einstein) are those of ``mobile_species`` alone;
    ``all_species_ionic_conductivity_mS_cm`` is the sum over the diffusive mobile species, listed in
    ``all_species_ionic_conductivity_species``.
    """

    verdict: str
    grade: str
    reason: str | None
    mobile_species: str
    temperature_K: float
    charge_e: float
    n_mobile_ions: int
    n_replicas: int
    n_frames: int
    n_frames_stored: int
    frame_stride: int
    frame_interval_fs: float
    analysed_time_ps: float
    volume_A3: float
    number_density_A3: float
    jump_distance_A: float
    max_msd_A2: float
    msd_passes_20_A2: bool
    n_eff: float
    model_relative_error: float | None
    n_hops: int
    n_ions_hopped: int
    drift_A: float
    framework_msd_A2: float | None
    warnings: list[str] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    refused_because: str | None = None

    max_interval_decades: float = MAX_INTERVAL_DECADES
    max_useful_bound_cm2_s: float = LARGEST_IN_SOLIDS["cm2_s"]
    max_useful_bound_mS_cm: float = LARGEST_IN_SOLIDS["mS_cm"]
    framework_species: list[str] = field(default_factory=list)
    framework_reason: str | None = None
    other_mobile_species: list[str] = field(default_factory=list)
    moved_species: list[str] = field(default_factory=list)
    species: list[dict[str, Any]] = field(default_factory=list)
    all_species_ionic_conductivity_mS_cm: float | None = None
    all_species_ionic_conductivity_ci95_mS_cm: Interval | None = None
    all_species_ionic_conductivity_upper_bound_mS_cm: float | None = None
    all_species_ionic_conductivity_species: list[str] = field(default_factory=list)
    all_species_ionic_conductivity_reason: str | None = None

    tracer_diffusivity_cm2_s: float | None = None
    tracer_diffusivity_std_cm2_s: float | None = None
    tracer_diffusivity_ci95_cm2_s: Interval | None = None
    tracer_diffusivity_upper_bound_cm2_s: float | None = None
    poisson_upper_bound_cm2_s: float | None = None
    slope_upper_bound_cm2_s: float | None = None
    least_squares_diffusivity_cm2_s: float | None = None
    block_diffusivities_cm2_s: list[float] | None = None
    block_standard_error_cm2_s: float | None = None
    block_kind: str | None = None
    replica_diffusivities_cm2_s: list[float] | None = None
    replica_standard_error_cm2_s: float | None = None
    replica_ci95_cm2_s: Interval | None = None
    tracer_diffusivity_tensor_cm2_s: Matrix | None = None
    tracer_diffusivity_tensor_ci95_cm2_s: list[Interval] | None = None
    tracer_diffusivity_principal_values_cm2_s: list[float] | None = None
    tracer_diffusivity_principal_directions: Matrix | None = None
    anisotropy: float | None = None
    isotropy_p_value: float | None = None
    ionic_conductivity_tensor_mS_cm: Matrix | None = None
    fit_consistent: bool | None = None
    least_squares_difference_errors: float | None = None
    statistical_relative_error: float | None = None
    systematic_relative_error: float | None = None
    diffusive_from_ps: float | None = None
    slope_deviation: float | None = None
    slope_deviation_std: float | None = None
    window_starts_ps: list[float] | None = None
    window_diffusivities_cm2_s: list[float] | None = None
    window_statistical_relative_errors: list[float] | None = None
    window_systematic_relative_errors: list[float] | None = None
    fit_window_ps: Interval | None = None
    fit_variance_scale: float | None = None
    independent_relative_error: float | None = None
    displacement_spread_scale: float | None = None
    correlation_inflation: float | None = None
    uncertainty_freedom: float | None = None
    log_log_slope: float | None = None
    log_log_slope_ci95: Interval | None = None
    collective_diffusivity_cm2_s: float | None = None
    collective_diffusivity_ci95_cm2_s: Interval | None = None
    collective_fit_consistent: bool | None = None
    collective_least_squares_difference_errors: float | None = None
    collective_fit_window_ps: Interval | None = None
    collective_reason: str | None = None
    collective_frame: str | None = None
    collective_frame_reason: str | None = None
    replica_collective_diffusivities_cm2_s: list[float] | None = None
    replica_collective_standard_error_cm2_s: float | None = None
    replica_collective_ci95_cm2_s: Interval | None = None
    collective_diffusivity_tensor_cm2_s: Matrix | None = None
    collective_diffusivity_tensor_ci95_cm2_s: list[Interval] | None = None
    collective_diffusivity_principal_values_cm2_s: list[float] | None = None
    collective_diffusivity_principal_directions: Matrix | None = None
    collective_ionic_conductivity_tensor_mS_cm: Matrix | None = None
    haven_ratio: float | None = None
    haven_ratio_ci95: Interval | None = None
    ionic_conductivity_mS_cm: float | None = None
    ionic_conductivity_ci95_mS_cm: Interval | None = None
    ionic_conductivity_upper_bound_mS_cm: float | None = None
    collective_ionic_conductivity_mS_cm: float | None = None
    collective_ionic_conductivity_ci95_mS_cm: Interval | None = None

    green_kubo_ionic_conductivity_mS_cm: float | None = None
    green_kubo_ionic_conductivity_std_mS_cm: float | None = None
    green_kubo_ionic_conductivity_ci95_mS_cm: Interval | None = None
    green_kubo_ionic_conductivity_xyz_mS_cm: list[float] | None = None
    green_kubo_ionic_conductivity_xyz_ci95_mS_cm: list[Interval] | None = None
    green_kubo_reason: str | None = None
    green_kubo_cutoff_THz: float | None = None
    green_kubo_n_frequencies: int | None = None
    green_kubo_n_coefficients: float | None = None
    green_kubo_half_cutoff_ratio: float | None = None
    green_kubo_running_mS_cm: float | None = None
    green_kubo_running_ci95_mS_cm: Interval | None = None
    green_kubo_plateau_ps: float | None = None
    green_kubo_n_blocks: int | None = None

    lag_times_ps: FloatArray | None = None
    msd_A2: FloatArray | None = None
    msd_std_A2: FloatArray | None = None
    all_lag_times_ps: FloatArray | None = None
    all_msd_A2: FloatArray | None = None
    tracer_diffusivity_samples_cm2_s: FloatArray | None = None
    collective_diffusivity_samples_cm2_s: FloatArray | None = None
    green_kubo_frequencies_THz: FloatArray | None = None
    green_kubo_spectrum_mS_cm: FloatArray | None = None
    green_kubo_lag_times_ps: FloatArray | None = None
    green_kubo_integral_mS_cm: FloatArray | None = None
    green_kubo_integral_std_mS_cm: FloatArray | None = None
    #: Draws of the diffusivity of other diffusive species, cm^2/s, by element.
    other_samples_cm2_s: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def moved(self) -> bool:
        """Whether there is a diffusivity, even if poorly known, rather than a bound."""
        return self.verdict in WITH_POSTERIOR

    def attributes(self) -> dict[str, Any]:
        """Every number, flag, sentence and short list, ready for JSON."""
        names = [entry.name for entry in fields(self) if entry.name not in (*ARRAYS, "other_samples_cm2_s")]
        values = {name: getattr(self, name) for name in names}
        return {name: _plain(value) for name, value in values.items()}

    def arrays(self) -> dict[str, FloatArray]:
        """The available arrays."""
        result = {name: getattr(self, name) for name in ARRAYS}
        result |= {species_samples_name(element): draws for element, draws in self.other_samples_cm2_s.items()}
        return {name: value for name, value in result.items() if value is not None}


def species_samples_name(element: str) -> str:
    """Return the name of the array with the draws of the diffusivity of another species."""
    return f"tracer_diffusivity_samples_of_{element}_cm2_s"


ARRAYS = (
    "lag_times_ps",
    "msd_A2",
    "msd_std_A2",
    "all_lag_times_ps",
    "all_msd_A2",
    "tracer_diffusivity_samples_cm2_s",
    "collective_diffusivity_samples_cm2_s",
    "green_kubo_frequencies_THz",
    "green_kubo_spectrum_mS_cm",
    "green_kubo_lag_times_ps",
    "green_kubo_integral_mS_cm",
    "green_kubo_integral_std_mS_cm",
)


def _plain(value: Any) -> Any:
    """Convert tuples to lists at every depth."""
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def interval95(samples: FloatArray) -> Interval:
    """Central 95 % of draws."""
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)
