"""Tables of the content of a profile or archive. Read-only; attributes are projected, no nodes are loaded."""

from __future__ import annotations

from aiida_ion.queries.comparisons import comparison, comparison_records
from aiida_ion.queries.conductivities import conductivity
from aiida_ion.queries.crystals import materials
from aiida_ion.queries.engines import engine_table
from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.jobs import cost, runs
from aiida_ion.queries.potentials import potentials
from aiida_ion.queries.reading.read_only import end_reading, newest_change, read_only
from aiida_ion.queries.results import diffusion
from aiida_ion.queries.reuse import finished_conductivity
from aiida_ion.queries.running.processes import last_decisions, process_table
from aiida_ion.queries.screening.funnel import funnel
from aiida_ion.queries.screening.percolation import percolation
from aiida_ion.queries.screening.tables import decisions, screenings
from aiida_ion.queries.selection import Selection
from aiida_ion.queries.surrogates import surrogates
from aiida_ion.queries.training.trainings import trainings

__all__ = [
    "Selection",
    "comparison",
    "comparison_records",
    "conductivity",
    "cost",
    "decisions",
    "diffusion",
    "end_reading",
    "engine_table",
    "experiments",
    "finished_conductivity",
    "funnel",
    "last_decisions",
    "materials",
    "newest_change",
    "percolation",
    "potentials",
    "process_table",
    "read_only",
    "runs",
    "screenings",
    "surrogates",
    "trainings",
]
