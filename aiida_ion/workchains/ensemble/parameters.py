"""The parameters of ``ion.ensemble``, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.schema import Settings, number, whole
from aiida_ion.settings.values import SettingsError


@dataclass(frozen=True)
class EnsembleParameters(Settings):
    """How many members are computed, and when to stop adding."""

    what: ClassVar[str] = "parameter"

    n_members: int | None = whole(None, help="Members computed at first; all when not given", least=1, most=200)
    max_members: int | None = whole(
        None, help="With a target, most members in all; all that there are when not given", least=1, most=200
    )
    target_relative_error: float | None = number(
        None,
        help="Add members while their spread keeps the relative 95 % half-width of the conductivity above this",
        above=0.0,
        most=10.0,
    )
    max_concurrent: int = whole(2, help="Maximum number of members in parallel", least=1, most=1000)

    def check_together(self) -> None:
        """Refuse a budget without a target, or one that the first members exceed.

        :raises SettingsError: saying what to give.
        """
        if self.max_members is None:
            return
        if self.target_relative_error is None:
            raise SettingsError("max_members is for members that are added: give target_relative_error too")
        if self.n_members is not None and self.n_members > self.max_members:
            raise SettingsError(f"max_members = {self.max_members} is less than n_members = {self.n_members}")
