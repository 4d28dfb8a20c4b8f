"""Data of a material's page, each read once: the result shown and related ones, or fits without a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from aiida_ion.dashboards.crystals import named
from aiida_ion.dashboards.state import View
from aiida_ion.queries import details
from aiida_ion.queries.reading.arrays import read_arrays
from aiida_ion.queries.reading.contents import Content, contents
from aiida_ion.queries.reading.uuids import is_uuid
from aiida_ion.verdicts import verdict_of

ALL, ONE = "levels", "one"
#: Order of verdicts for the result shown by default.
RANKS = {"measured": 0, "poorly_known": 1, "bound": 2, "not_measurable": 3}
#: Maximum number of lines in a plot.
MOST_LINES = 8
#: Maximum number of fits that are shown without a result, the newest.
MOST_FITS = 200


@dataclass(frozen=True)
class Result:
    """The result shown by a view.

    :param view: ``uuid`` is that of the result.
    :param results: conductivities of the material, newest first.
    """

    view: View
    results: pd.DataFrame

    @cached_property
    def row(self) -> dict[str, Any]:
        """Return the result's row in the table; empty if it has none."""
        rows: list[dict[Any, Any]] = self.results[self.results["uuid"] == self.view.uuid].to_dict("records")
        return {str(name): value for name, value in rows[0].items()} if rows else {}

    @cached_property
    def lines(self) -> pd.DataFrame:
        """Return the result shown, and one of each other level if requested.

        For another level it is the newest with a value, else a bound, else neither.
        """
        shown = self.results[self.results["uuid"] == self.view.uuid]
        if self.view.option("lines", ALL) != ALL:
            return shown
        others = self.results[~self.results["level_of_theory"].isin(shown["level_of_theory"])]
        best = others.assign(rank=others["verdict"].map(RANKS)).sort_values("rank", kind="stable")
        return pd.concat([shown, best.drop_duplicates("level_of_theory").head(MOST_LINES - 1)])

    @cached_property
    def all_points(self) -> pd.DataFrame:
        """Return the temperatures of all lines."""
        return details.arrhenius_points([str(uuid) for uuid in self.lines["uuid"]])

    @cached_property
    def points(self) -> pd.DataFrame:
        """Return the temperatures of the result shown."""
        own = self.all_points["conductivity_uuid"] == self.view.uuid
        return self.all_points[own].reset_index(drop=True)

    @cached_property
    def member_points(self) -> pd.DataFrame:
        """Return the temperatures of the members of the result shown, with their ``label``; empty for one crystal."""
        listed = (self.attributes(self.view.uuid).get("members") if self.view.uuid else None) or []
        labels = {str(entry.get("uuid")): str(entry.get("label")) for entry in listed if isinstance(entry, dict)}
        points = details.arrhenius_points([uuid for uuid in labels if is_uuid(uuid)])
        return points.assign(label=points["conductivity_uuid"].map(labels))

    @cached_property
    def contents(self) -> dict[str, Content]:
        """Return the contents of the nodes of all lines, and of the temperatures of the result."""
        return contents([*self.lines["uuid"], *self.points["uuid"]])

    def attributes(self, uuid: str | None) -> dict[str, Any]:
        """Return the attributes of a node."""
        content = self.contents.get(str(uuid))
        attributes = content.attributes if content is not None else details.diffusion_attributes(str(uuid))
        return {**attributes, "verdict": verdict_of(attributes)} if "verdict" in attributes else attributes

    def arrays(self, uuids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, NDArray[Any]]]:
        """Return arrays of several nodes by UUID and name; those left out of an export are missing."""
        return read_arrays({uuid: self.contents[uuid] for uuid in uuids if uuid in self.contents}, names)

    @property
    def levels(self) -> list[str]:
        """Return the levels of theory of the material, sorted."""
        return named(self.results["level_of_theory"])

    @cached_property
    def beside(self) -> dict[str, Any]:
        """Return the other results of its work chain, from `details.beside`."""
        process, structure = (self.row.get(name) for name in ("process_uuid", "structure_uuid"))
        if not isinstance(process, str):
            return details.beside(str(self.view.uuid))
        return {"process": process, "structure": structure} | details.outputs_of(process)


@dataclass(frozen=True)
class Fits(Result):
    """A material without a conductivity: its temperatures, each fitted on its own.

    :param fits: rows of the table of fits, newest first; those that a later round replaced are left out.
    """

    fits: pd.DataFrame

    @cached_property
    def all_points(self) -> pd.DataFrame:
        """Return the newest fit of each level of theory and temperature."""
        chosen = self.fits[~self.fits["superseded"].astype(bool)]
        chosen = chosen.drop_duplicates(["level_of_theory", "target_temperature_K"]).head(MOST_FITS)
        return details.fit_points([str(uuid) for uuid in chosen["uuid"]])

    @cached_property
    def points(self) -> pd.DataFrame:
        """Return the same: there is no result to choose."""
        return self.all_points

    @property
    def levels(self) -> list[str]:
        """Return the levels of theory of the fits, sorted."""
        return named(self.fits["level_of_theory"])
