"""Settings of the fits, for work chains, which use `analysis` only through jobs and calcfunctions."""

from __future__ import annotations

from aiida_ion.analysis.arrhenius.priors import Priors
from aiida_ion.analysis.convergence.targets import StopRule
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.jumps.settings import JumpSettings

__all__ = ["DiffusionSettings", "JumpSettings", "Priors", "StopRule"]
