"""Tables of what a profile or archive holds. Read-only; attributes are projected, no node is loaded."""

from __future__ import annotations

from aiida_ion.queries.comparisons import COMPARISON_COLUMNS, comparison_table
from aiida_ion.queries.cost import COST_COLUMNS, cost_table
from aiida_ion.queries.engines import engine_table
from aiida_ion.queries.processes import last_decisions, process_table
from aiida_ion.queries.read_only import end_reading, newest_change, read_only
from aiida_ion.queries.results import CONDUCTIVITY_COLUMNS, DIFFUSION_COLUMNS, conductivity_table, diffusion_table
from aiida_ion.queries.reuse import finished_conductivity

__all__ = [
    "COMPARISON_COLUMNS",
    "CONDUCTIVITY_COLUMNS",
    "COST_COLUMNS",
    "DIFFUSION_COLUMNS",
    "comparison_table",
    "conductivity_table",
    "cost_table",
    "diffusion_table",
    "end_reading",
    "engine_table",
    "finished_conductivity",
    "last_decisions",
    "newest_change",
    "process_table",
    "read_only",
]
