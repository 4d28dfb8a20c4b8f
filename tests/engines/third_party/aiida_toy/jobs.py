"""The jobs of the engine: those of ASE calculators, under names of their own."""

from aiida_ion.calculations.mlip.md import MlipMdCalculation
from aiida_ion.calculations.mlip.relax import MlipRelaxCalculation


class ToyMdCalculation(MlipMdCalculation):
    """Molecular dynamics."""


class ToyRelaxCalculation(MlipRelaxCalculation):
    """Relaxation of the ions."""
