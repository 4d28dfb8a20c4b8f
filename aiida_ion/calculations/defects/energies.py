"""``ion.defect_energies``: relaxed cells with defects -> their energies, and a formation energy where it is defined."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.defects.energies import PERFECT, energies_of_defects, n_vacant_sites

#: Label of the perfect cell among the relaxed ones.
LABEL_OF_PERFECT = PERFECT


@calcfunction
def defect_energies(about: orm.Dict, ensemble: orm.Dict, perfect: orm.StructureData, **nodes: Any) -> orm.Dict:
    """Return the ensemble with energies of its relaxed cells (eV), and the formation energy where it is defined.

    :param about: ``level_of_theory``.
    :param ensemble: of `ion.make_defects`.
    :param perfect: the cell without defects that `ion.make_defects` gave, angstrom.
    :param nodes: `result_o000`, ..., `result_perfect`: records of `ion.relax_orderings`, energies in eV; `cell_o000`,
        ..., `cell_perfect`: relaxed cells, angstrom.
    :raises ValueError: where no cell with defects was relaxed.
    """
    results = {name.removeprefix("result_"): nodes[name].get_dict() for name in nodes if name.startswith("result_")}
    cells = {name.removeprefix("cell_"): nodes[name] for name in nodes if name.startswith("cell_")}
    mobile = str(ensemble["mobile_species"])
    host = cells.get(PERFECT, perfect)
    vacant = {label: _n_vacant(host, cell, mobile) for label, cell in cells.items() if label != PERFECT}
    table = energies_of_defects(ensemble.get_dict(), results, vacant, perfect.get_formula("count"))
    return orm.Dict({**table, **about.get_dict()})


def _n_vacant(perfect: orm.StructureData, cell: orm.StructureData, mobile: str) -> int:
    sites, ions = (
        node.get_ase().get_scaled_positions()[[site.kind_name == mobile for site in node.sites]]
        for node in (perfect, cell)
    )
    return n_vacant_sites(np.asarray(perfect.cell, dtype=float), sites, ions)
