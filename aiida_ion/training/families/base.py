"""What every family of trained potentials has: its settings, its protocols, and the engine that trains and runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.schema import Settings, number, refuse_unknown, rules_of, whole
from aiida_ion.settings.values import SettingsError

#: ``finetune`` starts from a parent; ``scratch`` from random weights; ``student`` is ``scratch`` with a small, fast
#: model; ``test`` only shows that everything works, and starts from a parent where one is given.
PROTOCOLS = ("finetune", "scratch", "student", "test")


@dataclass(frozen=True)
class FamilySettings(Settings):
    """Settings that every family has; a weight multiplies a term of the loss as the family's own program defines it."""

    what: ClassVar[str] = "training setting"
    #: Settings that decide the shape of the model: those of a parent cannot be changed.
    shape: ClassVar[tuple[str, ...]] = ()

    n_epochs: int = whole(100, least=1, most=100_000, help="Passes over all training frames")
    batch_size: int = whole(4, least=1, most=10_000, help="Frames of one update")
    learning_rate: float = number(1e-3, above=0.0, most=1.0, help="Learning rate at the start")
    energy_weight: float = number(1.0, least=0.0, most=1e6, help="Weight of energies in the loss")
    force_weight: float = number(1.0, least=0.0, most=1e6, help="Weight of forces in the loss")
    stress_weight: float = number(0.0, least=0.0, most=1e6, help="Weight of stresses; 0 does not train on them")

    def check_together(self) -> None:
        """Refuse a loss without forces.

        :raises SettingsError: since molecular dynamics follows forces.
        """
        if self.force_weight == 0.0:
            raise SettingsError("force_weight must be above 0: molecular dynamics follows the forces")


@dataclass(frozen=True)
class Family:
    """A family of potentials that can be trained.

    :param name: such as ``sevenn``.
    :param label: how the field writes it.
    :param potential: its name among the potentials of ``ion.mlip_md``.
    :param environment: the environment of ``aiida-ion engine install`` that trains it.
    :param settings: the class of its settings.
    :param protocols: what each protocol changes; a protocol that is not there is not offered.
    :param dtypes: precisions it can be trained in, the default first.
    :param filename: of the trained potential; its endings tell the loader its format.
    :param is_compiled: whether that file is machine code of the computer that made it.
    """

    name: str
    label: str
    potential: str
    environment: str
    settings: type[FamilySettings]
    protocols: Mapping[str, Mapping[str, Any]]
    dtypes: tuple[str, ...]
    filename: str
    is_compiled: bool = False

    def settings_of(self, protocol: str, overrides: Mapping[str, Any], has_parent: bool) -> FamilySettings:
        """Return the settings of a protocol with some of them changed.

        :raises SettingsError: for a protocol that is not offered, an unknown or invalid setting, a parent that is
            missing or not used, and a change to the shape of a parent.
        """
        if protocol not in self.protocols:
            offered = ", ".join(self.protocols)
            raise SettingsError(f"{self.label} has no protocol {protocol!r}; choose from {offered}")
        if protocol == "finetune" and not has_parent:
            raise SettingsError("the protocol finetune needs a parent: an engine or a checkpoint to start from")
        if protocol in ("scratch", "student") and has_parent:
            raise SettingsError(f"the protocol {protocol} starts from random weights: leave out the parent")
        refuse_unknown(overrides, rules_of(self.settings), self.settings.what)
        fixed = [name for name in overrides if has_parent and name in self.settings.shape]
        if fixed:
            raise SettingsError(f"{', '.join(fixed)} cannot be changed: the model has the shape of its parent")
        return self.settings.from_dict({**self.protocols[protocol], **overrides})
