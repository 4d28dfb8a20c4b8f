"""What a diffusion analysis may be told, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.settings import is_number, is_whole, refuse_unknown, require


@dataclass(frozen=True)
class DiffusionSettings:
    """Settings of :func:`aiida_ion.analysis.diffusion.analyse_diffusion`.

    :param equilibration_fs: time dropped at the start of every replica, counted from its first frame, fs.
    :param jump_distance_A: distance between neighbouring sites of the mobile ion, angstrom (He et al. 2018:
        2.4-3.4).
    :param n_lags: lags of the fit.
    :param max_lag_fraction: the fit ends at this part of the trajectory's length.
    :param extended_lag_fraction: it may end here when the ions move too little until ``max_lag_fraction``.
    :param max_frames: longer trajectories are thinned to this many frames; the result states the stride.
    :param min_n_eff: effective hops below which only an upper bound is given, both in all and over the fit window.
    :param min_log_log_slope: least slope of log MSD over log t that counts as diffusion.
    :param max_log_log_slope: largest.
    :param hop_smoothing_fs: running mean before hops are counted, fs (at least 3 frames).
    :param n_samples: posterior draws kept.
    :param collective: whether to fit the collective diffusivity too.
    :param green_kubo: whether to take the collective conductivity from the charge current too, where it was recorded.
    :param green_kubo_max_relative_error: a run too short for this relative error gives no such conductivity.
    :param seed: of the Markov chain and the resampling.
    :param limits: where the checks warn and fail.
    """

    equilibration_fs: float = 0.0
    jump_distance_A: float = 3.0
    n_lags: int = 30
    max_lag_fraction: float = 1.0 / 3.0
    extended_lag_fraction: float = 0.5
    max_frames: int = 5000
    min_n_eff: float = 10.0
    min_log_log_slope: float = 0.8
    max_log_log_slope: float = 1.2
    hop_smoothing_fs: float = 1000.0
    n_samples: int = 1000
    collective: bool = True
    green_kubo: bool = True
    green_kubo_max_relative_error: float = 0.4
    seed: int = 1
    limits: CheckLimits = field(default_factory=CheckLimits)

    def __post_init__(self) -> None:
        for name in (
            "jump_distance_A",
            "min_n_eff",
            "min_log_log_slope",
            "max_log_log_slope",
            "green_kubo_max_relative_error",
        ):
            require(is_number(getattr(self, name)) and getattr(self, name) > 0, name, self, "a positive number")
        for name in ("equilibration_fs", "hop_smoothing_fs"):
            require(is_number(getattr(self, name)) and getattr(self, name) >= 0, name, self, "a number >= 0")
        for name, least in (("n_lags", 5), ("max_frames", 50), ("n_samples", 100), ("seed", 0)):
            value = getattr(self, name)
            require(is_whole(value) and value >= least, name, self, f"a whole number >= {least}")
        require(self.n_lags <= 100, "n_lags", self, "at most 100: the cost grows with its third power")
        for name in ("max_lag_fraction", "extended_lag_fraction"):
            value = getattr(self, name)
            require(
                is_number(value) and 0 < value <= 0.5,
                name,
                self,
                "above 0 and at most 0.5, where kinisi is sound",
            )
        for name in ("collective", "green_kubo"):
            require(isinstance(getattr(self, name), bool), name, self, "true or false")
        require(
            self.min_log_log_slope < self.max_log_log_slope,
            "max_log_log_slope",
            self,
            "above min_log_log_slope",
        )

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> DiffusionSettings:
        """Build from a plain mapping.

        :raises ValueError: for an unknown or impossible setting.
        """
        refuse_unknown(cls, settings, "diffusion setting")
        limits = {"limits": CheckLimits.from_dict(settings["limits"])} if "limits" in settings else {}
        return cls(**{**settings, **limits})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping that :meth:`from_dict` reads back."""
        return asdict(self)
