"""The classes of settings of the fits, for work chains, which reach `analysis` through jobs and calcfunctions alone."""

from __future__ import annotations

from aiida_ion.analysis.arrhenius_priors import Priors
from aiida_ion.analysis.diffusion_settings import DiffusionSettings
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.analysis.stop_rule import StopRule

__all__ = ["DiffusionSettings", "JumpSettings", "Priors", "StopRule"]
