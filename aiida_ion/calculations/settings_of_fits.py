"""The classes of settings of the fits, for work chains, which reach `analysis` through jobs and calcfunctions alone."""

from __future__ import annotations

from aiida_ion.analysis.arrhenius.priors import Priors
from aiida_ion.analysis.convergence.targets import StopRule
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.jumps.settings import JumpSettings

__all__ = ["DiffusionSettings", "JumpSettings", "Priors", "StopRule"]
