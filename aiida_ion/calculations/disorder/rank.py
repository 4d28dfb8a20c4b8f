"""``ion.rank_orderings``: relaxed cells ranked by their energies, as an ensemble of the same shape as the drawn one."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.disorder.ranking import RankingSettings, ranked_ensemble
from aiida_ion.settings.values import SettingsError


@calcfunction
def rank_orderings(ensemble: orm.Dict, parameters: orm.Dict, **results: orm.Dict) -> orm.Dict:
    """Return the ensemble with energies, displacements and ranks of its relaxed cells.

    :param ensemble: that of `ion.order_structure`.
    :param parameters: settings of :class:`~aiida_ion.analysis.disorder.ranking.RankingSettings`.
    :param results: those of `ion.relax_orderings` under their labels `o000`, `o001`, ...; energies in eV.
    :returns: every member has, in addition to what it had, `drawn_as`, its label among the results; `energy_eV`,
        `energy_above_lowest_eV`, `rank` (none where it did not converge), `boltzmann_weight`, forces, pressures and
        displacements.
    :raises ValueError: where no cell is left, or cells differ in composition.
    """
    settings = RankingSettings.from_dict(parameters.get_dict())
    return orm.Dict(
        ranked_ensemble(ensemble.get_dict(), {name: node.get_dict() for name, node in results.items()}, settings)
    )


def validate_rank_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings of the ranking; ``None`` if nothing is."""
    try:
        RankingSettings.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None
