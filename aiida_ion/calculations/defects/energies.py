"""``ion.defect_energies``: relaxed cells with defects -> their energies, and a formation energy where it is defined."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.defects.energies import DISPLACED, PERFECT, energies_of_defects, n_vacant_sites, reference_label

#: Labels of the perfect cell among the relaxed ones, the second one with displaced atoms.
LABELS_OF_PERFECT = (PERFECT, DISPLACED)


@calcfunction
def defect_energies(about: orm.Dict, ensemble: orm.Dict, perfect: orm.StructureData, **nodes: Any) -> orm.Dict:
    """Return the ensemble with energies of its relaxed cells (eV), and the formation energy where it is defined.

    :param about: ``level_of_theory``.
    :param ensemble: of `ion.make_defects`.
    :param perfect: the cell without defects that `ion.make_defects` gave, angstrom.
    :param nodes: `result_o000`, ..., `result_perfect`, `result_displaced`: records of `ion.relax_orderings`, in eV;
        `cell_o000`, ..., `cell_perfect`, `cell_displaced`: relaxed cells, angstrom.
    :raises ValueError: where no cell with defects was relaxed.
    """
    results = {name.removeprefix("result_"): nodes[name].get_dict() for name in nodes if name.startswith("result_")}
    cells = {name.removeprefix("cell_"): nodes[name] for name in nodes if name.startswith("cell_")}
    mobile = str(ensemble["mobile_species"])
    host = cells.get(reference_label(results), perfect)
    vacant = {label: _n_vacant(host, cell, mobile) for label, cell in cells.items() if label not in LABELS_OF_PERFECT}
    table = energies_of_defects(ensemble.get_dict(), results, vacant, perfect.get_formula("count"))
    return orm.Dict({**table, **about.get_dict()})


def _n_vacant(perfect: orm.StructureData, cell: orm.StructureData, mobile: str) -> int:
    sites, ions = (
        node.get_ase().get_scaled_positions()[[site.kind_name == mobile for site in node.sites]]
        for node in (perfect, cell)
    )
    return n_vacant_sites(np.asarray(perfect.cell, dtype=float), sites, ions)
