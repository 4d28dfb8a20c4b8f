"""All that is shown of one screening, each part read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from aiida_ion.analysis.comparison.ranking import CONDUCTOR_MS_CM
from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.queries.screening.chains import chains, is_active, stages_of
from aiida_ion.queries.screening.funnel import RUNNING, funnel
from aiida_ion.queries.screening.jobs import jobs_of
from aiida_ion.queries.screening.outcomes import fell, survivors
from aiida_ion.queries.screening.recall import known_of, ranking, recall
from aiida_ion.queries.screening.tables import decisions, state_words
from aiida_ion.units import duration


@dataclass(frozen=True)
class Report:
    """A screening.

    :param pk: of its work chain.
    :param stage: the only stage whose decisions are shown, by default all.
    :param limit_mS_cm: measured conductivity from which a material is a conductor, mS/cm.
    :raises LookupError: if there is no such screening, or it has no such stage.
    """

    pk: int
    stage: str | None = None
    limit_mS_cm: float = CONDUCTOR_MS_CM

    def __post_init__(self) -> None:
        if self.stage is not None and self.stage not in self.stages:
            raise LookupError(f"screening {self.pk} has no stage {self.stage!r}; its stages: {', '.join(self.stages)}")

    @cached_property
    def row(self) -> dict[Any, Any]:
        """Return the screening itself, as of `aiida_ion.queries.screening.chains.chains`."""
        table = chains([self.pk])
        if table.empty:
            raise LookupError(f"there is no screening with the pk {self.pk}; 'aiida-ion table screenings' lists them")
        return table.to_dict("records")[0]

    @property
    def name(self) -> str:
        """Return its label."""
        return str(self.row["label"] or "") or f"screening {self.pk}"

    @property
    def state(self) -> str:
        """Return its state in words."""
        return state_words(self.row)

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return is_active(self.row)

    @cached_property
    def stages(self) -> list[str]:
        """Return the names of its stages, in order."""
        return [stage.name for stage in stages_of(self.row)]

    @cached_property
    def mobile_species(self) -> str | None:
        """Return the element that is to move, as far as the settings of a stage say it."""
        for stage in stages_of(self.row):
            settings = read_attributes(stage.entry["settings"])
            if isinstance(settings["mobile_species"], str):
                return str(settings["mobile_species"])
        return None

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Return its decisions, of the chosen stage or of all."""
        table = decisions(pk=self.pk)
        return table if self.stage is None else table[table["stage"] == self.stage].reset_index(drop=True)

    @cached_property
    def funnel(self) -> pd.DataFrame:
        """Return its stages."""
        table = funnel(self.pk)
        return table if self.stage is None else table[table["stage"] == self.stage].reset_index(drop=True)

    @property
    def fell(self) -> pd.DataFrame:
        """Return what fell where and why."""
        return fell(self.rows)

    @property
    def survivors(self) -> pd.DataFrame:
        """Return the ranking of what went on from the last stage, or the chosen one."""
        return survivors(self.rows, self.stage)

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """Return the processes that it submitted."""
        table = jobs_of(self.pk, self.stages)
        return table if self.stage is None else table[table["stage"] == self.stage].reset_index(drop=True)

    @cached_property
    def known(self) -> pd.DataFrame:
        """Return its decisions on materials whose conductivity was measured."""
        return known_of(self.pk)

    @cached_property
    def recall(self) -> pd.DataFrame:
        """Return the recall of each cut."""
        table = recall(self.known, self.limit_mS_cm)
        return table if self.stage is None else table[table["stage"] == self.stage].reset_index(drop=True)

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """Return scores of the ranking by each quantity, beside baselines; takes seconds."""
        known = self.known if self.stage is None else self.known[self.known["stage"] == self.stage]
        return ranking(known, self.mobile_species, self.limit_mS_cm)


def progress_words(pk: int) -> str | None:
    """Return how far a running screening is, in words: its stage, and the materials of that."""
    try:
        table = funnel(pk)
    except LookupError:
        return None
    running = table[table["state"] == RUNNING]
    if running.empty:
        return None
    row = running.to_dict("records")[0]
    words = f"stage {row['stage']} ({running.index[0] + 1} of {len(table)}): "
    words += f"{row['n_computed']} of {row['n_materials']} materials in ended jobs, {row['n_running']} in running ones"
    left = row["seconds_left_s"]
    return words if pd.isna(left) else f"{words}, at most {duration(float(left))} left"
