"""The figures of the dashboard, for notebooks and papers: functions that return a plotly figure.

`stored_arrhenius`, `stored_msd`, `stored_map`, `stored_density` and `stored_motion` take uuids of results and read the
database; the others take tables of
`aiida_ion.queries` and arrays, and ask no database. They need plotly: ``pip install 'aiida-ion[dashboard]'``.
"""

from __future__ import annotations

from aiida_ion.dashboards.figures.arrhenius import ArrheniusLine, arrhenius_figure
from aiida_ion.dashboards.figures.defects.carriers import carriers_figure
from aiida_ion.dashboards.figures.force_parity import force_parity_figure
from aiida_ion.dashboards.figures.msd import MsdCurve, msd_figure
from aiida_ion.dashboards.figures.pareto import pareto_figure
from aiida_ion.dashboards.figures.parity import parity_figure
from aiida_ion.dashboards.figures.rdf import rdf_figure
from aiida_ion.dashboards.figures.structure.cell import cell_figure, crystal_figure
from aiida_ion.dashboards.figures.structure.isosurface import density_figure, map_figure
from aiida_ion.dashboards.figures.structure.motion import motion_figure
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, LevelStyle, Theme, level_styles
from aiida_ion.figures.stored import stored_arrhenius, stored_msd
from aiida_ion.figures.structures import stored_density, stored_map, stored_motion

__all__ = [
    "DARK",
    "LIGHT",
    "ArrheniusLine",
    "LevelStyle",
    "MsdCurve",
    "Theme",
    "arrhenius_figure",
    "carriers_figure",
    "cell_figure",
    "crystal_figure",
    "density_figure",
    "force_parity_figure",
    "level_styles",
    "map_figure",
    "motion_figure",
    "msd_figure",
    "pareto_figure",
    "parity_figure",
    "rdf_figure",
    "stored_arrhenius",
    "stored_density",
    "stored_map",
    "stored_motion",
    "stored_msd",
]
