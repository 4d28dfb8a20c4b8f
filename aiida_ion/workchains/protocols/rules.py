"""What a protocol of ``ion.conductivity`` may hold: the rules of its settings, by their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiida_ion.calculations.settings_of_fits import DiffusionSettings
from aiida_ion.settings.md import TIME_PS, MdSettings, RelaxSettings
from aiida_ion.settings.rules import Flag, Number, Rule
from aiida_ion.settings.schema import Part, refuse_unknown, rules_of
from aiida_ion.settings.values import SettingsError, shown
from aiida_ion.workchains.protocols.parameters import ConductivityParameters

Rules = Mapping[str, "Rule | Rules"]

#: What differs between the runs, or is set elsewhere.
_NOT_IN_PROTOCOLS = {
    ConductivityParameters: ("formula",),
    MdSettings: ("temperature_K", "seed"),
    DiffusionSettings: ("equilibration_fs",),
}
#: What a protocol may leave out: it is guessed, or has no limit.
_OPEN = ("mobile_species", "charges")


def _part(kind: Any) -> dict[str, Rule | Rules]:
    """Return the rules of a class of settings as a protocol holds them."""
    left_out = _NOT_IN_PROTOCOLS.get(kind, ())
    rules = {name: rule for name, rule in rules_of(kind).items() if name not in left_out}
    nested = {name: _part(rule.kind) for name, rule in rules.items() if isinstance(rule, Part)}
    opened = {name: replace(rules[name], optional=True) for name in _OPEN if name in rules}
    return {**rules, **nested, **opened}


_LENGTH = Number(**TIME_PS, optional=True, help="Without a target, length of each run")
#: Of a protocol of ``ion.conductivity``; ``null`` leaves open what is optional.
CONDUCTIVITY: Rules = {
    **_part(ConductivityParameters),
    "clean_workdir": Flag(help="Remove the folders of jobs whose results were parsed"),
    "first_time_ps": replace(_LENGTH, help="With a target, length of each run in the first round"),
    "relax": _part(RelaxSettings),
    "md": {
        **_part(MdSettings),
        "total_time_ps": _LENGTH,
        "n_steps": replace(rules_of(MdSettings)["n_steps"], optional=True),
    },
    "diffusion": _part(DiffusionSettings),
}


def rule_at(path: tuple[str, ...]) -> Rule:
    """Return the rule of a place in the protocol, such as ``("md", "timestep_fs")``."""
    rule: Any = CONDUCTIVITY
    for name in path:
        rule = rule[name]
    return rule  # type: ignore[no-any-return]


def read_overrides(given: Mapping[str, Any], rules: Rules = CONDUCTIVITY, place: str = "") -> dict[str, Any]:
    """Return overrides with every value in its own type.

    :param place: where they are in the protocol, with a dot at the end.
    :raises SettingsError: for an unknown name, or a value that cannot be used, with its place.
    """
    what = f"override in {place[:-1]}:" if place else "override"
    refuse_unknown(given, rules, what, _places(CONDUCTIVITY))
    overrides: dict[str, Any] = {}
    for name, value in given.items():
        rule = rules[name]
        if isinstance(rule, Rule):
            overrides[name] = rule.read(value, f"{place}{name}")
        elif isinstance(value, Mapping):
            overrides[name] = read_overrides(value, rule, f"{place}{name}.")
        else:
            raise SettingsError(f"{place}{name} must be a mapping of settings, got {shown(value)}")
    return overrides


def _places(rules: Rules, before: str = "") -> list[str]:
    places: list[str] = []
    for name, rule in rules.items():
        places += [f"{before}{name}"] if isinstance(rule, Rule) else _places(rule, f"{before}{name}.")
    return places
