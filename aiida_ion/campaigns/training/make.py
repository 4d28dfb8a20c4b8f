"""Sources and settings -> a dataset, by the calculation function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.common.log import override_log_level

from aiida_ion.calculations.training.dataset import choose, training_dataset
from aiida_ion.calculations.training.sources import sources_of, trajectory_key
from aiida_ion.campaigns.training.stored import SourceNodes
from aiida_ion.training.settings import DatasetSettings


def inputs_of(sources: Sequence[SourceNodes]) -> dict[str, orm.Data]:
    """Return the nodes of sources under the names that ``ion.training_dataset`` gives them."""
    inputs: dict[str, orm.Data] = {}
    for number, source in enumerate(sources):
        inputs[trajectory_key(number)] = source.trajectory
        for name, node in (("thermo", source.thermo), ("labels", source.labels)):
            if node is not None:
                inputs[f"{name}_{number:03d}"] = node
    return inputs


def make_dataset(
    sources: Sequence[SourceNodes], settings: Mapping[str, Any], level_of_theory: str | None = None
) -> orm.ArrayData:
    """Return the stored dataset of sources.

    It is tried before the calculation function is called, so that what is refused leaves no failed process.

    :param settings: of :class:`~aiida_ion.training.settings.DatasetSettings`.
    :param level_of_theory: of sources that do not say theirs.
    :raises ValueError: for what cannot be trained on; the message says what to do.
    """
    nodes = inputs_of(sources)
    checked = DatasetSettings.from_dict(dict(settings))
    choose(sources_of(nodes), checked, level_of_theory)
    parameters = dict(settings) | ({"level_of_theory": level_of_theory} if level_of_theory else {})
    with override_log_level():
        dataset: orm.ArrayData = training_dataset(orm.Dict(parameters), **nodes)
    return dataset
