"""The plan of a screening: stages in order, each with a method, a cut and a budget; checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.screening.quantities import METHODS, MORE_IS_BETTER
from aiida_ion.settings.elements import Element
from aiida_ion.settings.rules import Json, Rule, Word
from aiida_ion.settings.schema import Part, Settings, flag, number, setting, whole, word
from aiida_ion.settings.values import SettingsError


@dataclass(frozen=True)
class Cut(Settings):
    """What a material must reach to pass a stage. A cut inside the interval of a value leaves it unsure."""

    what: ClassVar[str] = "setting of a cut"

    quantity: str | None = setting(Word(optional=True, help="What is judged, with its unit"), None)
    maximum: float | None = number(None, help="Highest value that passes")
    minimum: float | None = number(None, help="Lowest value that passes")
    unsure_passes: bool = flag(True, help="Whether a material whose interval holds the cut goes on")
    errors_pass: bool = flag(False, help="Whether a material that the method cannot judge goes on")

    def check_together(self) -> None:
        """Refuse a limit without a quantity, and limits that exclude each other."""
        if self.quantity is None and (self.maximum is not None or self.minimum is not None):
            raise SettingsError("a cut with maximum or minimum needs the quantity that it limits")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise SettingsError(
                f"nothing is above {self.minimum:g} and below {self.maximum:g}: swap minimum and maximum"
            )


@dataclass(frozen=True)
class Budget(Settings):
    """What a stage may cost. Materials beyond it are not judged, and come first when it is raised."""

    what: ClassVar[str] = "setting of a budget"

    max_materials: int | None = whole(None, help="Most materials, the best of the stages before first", least=1)
    max_core_hours: float | None = number(
        None, help="No more runs are started after this", above=0.0, unit="core hours"
    )


@dataclass(frozen=True)
class Stage(Settings):
    """One stage of a screening."""

    what: ClassVar[str] = "setting of a stage"

    name: str = setting(
        Word(pattern=(r"[a-z][a-z0-9_]{0,31}", "small letters, digits and underscores"), help="Its name")
    )
    method: str = word(tuple(METHODS), help="How materials are judged")
    settings: dict[str, Any] = setting(Json(help="Settings of the method"), {})
    engine: str | None = setting(Word(optional=True, help="`potential`, `dft`, or the name of an engine"), None)
    protocol: str | None = setting(Word(optional=True, help="Protocol of its runs"), None)
    cut: Cut = setting(Part(kind=Cut), Cut())
    budget: Budget = setting(Part(kind=Budget), Budget())

    def check_together(self) -> None:
        """Refuse a quantity that the method does not give, and an engine where none is used."""
        method = METHODS[self.method]
        if self.cut.quantity is not None and self.cut.quantity not in method.quantities:
            known = ", ".join(method.quantities) or "none"
            raise SettingsError(
                f"stage {self.name}: {self.method} does not give {self.cut.quantity}; choose from {known}"
            )
        if method.needs_engine is None and self.engine is not None:
            raise SettingsError(f"stage {self.name}: {self.method} uses no engine")

    @property
    def kind_of_engine(self) -> str | None:
        """What it runs with: ``potential``, ``dft``, the name of an engine, or nothing."""
        needed = METHODS[self.method].needs_engine
        return None if needed is None else self.engine or ("potential" if needed == "any" else needed)

    def is_better(self, value: float, other: float) -> bool:
        """Whether a value ranks a material before another."""
        return value > other if self.cut.quantity in MORE_IS_BETTER else value < other


@dataclass(frozen=True)
class Stages(Rule):
    """The stages of a screening, in order."""

    @property
    def words(self) -> str:
        """A list of stages."""
        return "a list of stages, each with a name and a method"

    def _read(self, value: Any, name: str) -> tuple[Stage, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise self.refuse(value, name)
        stages = tuple(item if isinstance(item, Stage) else Stage.from_dict(_mapping(item)) for item in value)
        names = [stage.name for stage in stages]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SettingsError(f"two stages are called {twice[0]}: give them distinct names")
        return stages


def _mapping(item: Any) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise SettingsError(f"a stage is a mapping with name and method, got {item!r:.80}")
    return item


@dataclass(frozen=True)
class ScreeningPlan(Settings):
    """A screening: which ion is to move, and the stages."""

    what: ClassVar[str] = "setting of a screening"

    mobile_species: str = setting(Element(help="The element that is to move"))
    stages: tuple[Stage, ...] = setting(Stages())

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping that :meth:`from_dict` reads back."""
        return {"mobile_species": self.mobile_species, "stages": [stage.to_dict() for stage in self.stages]}
