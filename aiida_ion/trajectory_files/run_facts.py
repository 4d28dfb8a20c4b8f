"""Required facts about a run, from its files and from the user, and what to do if they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ase.data import atomic_masses, atomic_numbers

from aiida_ion.settings.md import MdSettings, usual_timestep_fs
from aiida_ion.settings.rules import Word
from aiida_ion.settings.schema import Settings, rules_of, setting
from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.timeline.step_numbers import spacing_of

#: Required fact -> command-line option that gives it.
FACT_OPTIONS = {
    "timestep_fs": "--timestep-fs",
    "sample_every": "--sample-every",
    "target_temperature_K": "--temperature-K",
    "level_of_theory": "--level-of-theory",
}
FACT_UNITS = {"timestep_fs": " fs", "target_temperature_K": " K"}
FACT_WORDS = {
    "timestep_fs": "Time step",
    "sample_every": "Steps between two frames",
    "target_temperature_K": "Temperature",
}
#: The option that lets the command line win over the file.
OVERRIDE = "--override-file"
#: A time step this many times the longest usual one causes a warning.
LONG_TIMESTEP = 2.0
#: Relative tolerance of equal numbers.
SAME = 1e-3
#: Relative difference of the mean temperature from the target that causes a warning.
SAME_TEMPERATURE = 0.1


@dataclass(frozen=True)
class RunFacts(Settings):
    """Facts that a trajectory file may not state about its run.

    :param timestep_fs: integration step, fs.
    :param sample_every: steps between two frames.
    :param target_temperature_K: temperature of the thermostat, K.
    :param level_of_theory: level of theory of the forces, such as ``PBE``.
    :raises ValueError: for an impossible value.
    """

    what: ClassVar[str] = "fact of a run"

    timestep_fs: float = setting(rules_of(MdSettings)["timestep_fs"])
    sample_every: int = setting(rules_of(MdSettings)["sample_every"])
    target_temperature_K: float = setting(rules_of(MdSettings)["temperature_K"])
    level_of_theory: str = setting(Word(help="What made the forces"))

    @property
    def interval_fs(self) -> float:
        """Time between two frames, fs."""
        return self.timestep_fs * self.sample_every


def complete_facts(
    given: Mapping[str, Any], parts: Sequence[FileFrames], names: Sequence[str], override_file: bool = False
) -> tuple[RunFacts, list[str]]:
    """Return the facts of a run, and remarks: files win over the user.

    :param given: fields of :class:`RunFacts` given by the user.
    :param parts: contents of the files.
    :param names: names of the files.
    :param override_file: let the user win.
    :raises ValueError: if a fact is missing in both, two files differ, or a value is impossible.
    """
    stated = [stated_facts(part) for part in parts]
    known: dict[str, Any] = {}
    remarks: list[str] = []
    for name, option in FACT_OPTIONS.items():
        values = {facts.get(name): None for facts in stated if facts.get(name) is not None}
        asked = given.get(name)
        several = len(values) > 1 and name != "level_of_theory" and not override_file
        if several or (asked is None and len(values) != 1):
            different = f"the files differ: {', '.join(map(_text, values))}"
            if asked is not None:
                raise ValueError(f"{option}: {different}; they are not parts of one run")
            raise ValueError(f"give {option}: {different if values else f'{names[0]} does not state it'}")
        for value in values:
            _check_stated(name, value, names[0])
        if asked is not None:
            RunFacts(**(_NEUTRAL | {name: asked}))  # impossible values are refused in any case
        other = [value for value in values if asked is not None and not _same(asked, value)]
        user_wins = asked is not None and (override_file or not values or name == "level_of_theory")
        known[name] = asked if user_wins else next(iter(values))
        if other:
            remarks.append(_difference(name, option, asked, other, user_wins))
    facts = RunFacts(**known)
    remarks += _about_time(facts, parts, names, override_file)
    return facts, remarks + _about_temperature(facts, parts, names)


_NEUTRAL: dict[str, Any] = {
    "timestep_fs": 1.0,
    "sample_every": 1,
    "target_temperature_K": 300.0,
    "level_of_theory": "-",
}


def stated_facts(part: FileFrames) -> dict[str, Any]:
    """Return the facts that a file states; the numbers of its frames give the steps between two."""
    facts = dict(part.facts)
    spacing = spacing_of(part.steps)
    if spacing is not None and part.numbering == "steps":
        facts["sample_every"] = spacing
    return facts


def _check_stated(name: str, value: Any, file: str) -> None:
    """Refuse an impossible value stated by a file.

    :raises ValueError: naming the file.
    """
    try:
        RunFacts(**(_NEUTRAL | {name: value}))
    except ValueError as error:
        raise ValueError(f"{file}: according to the file, {error}") from error


def _difference(name: str, option: str, asked: Any, other: Sequence[Any], user_wins: bool) -> str:
    unit = FACT_UNITS.get(name, "")
    texts = f"the file says {' and '.join(f'{_text(value)}{unit}' for value in other)}, {option} {_text(asked)}{unit}"
    if name == "level_of_theory":
        return f"Level of theory: {texts}; the option is used, as a name."
    end = f"the option is used ({OVERRIDE})" if user_wins else f"the file is used; {OVERRIDE} uses the option"
    return f"WARNING: {FACT_WORDS[name]}: {texts}; {end}."


def _about_time(facts: RunFacts, parts: Sequence[FileFrames], names: Sequence[str], override_file: bool) -> list[str]:
    """Compare with times without a named unit; warn of an odd time step.

    :raises ValueError: if the times do not match in any usual unit.
    """
    remarks = []
    lightest = min(parts[0].symbols, key=lambda symbol: float(atomic_masses[atomic_numbers[symbol]]))
    longest_fs = usual_timestep_fs(float(atomic_masses[atomic_numbers[lightest]]))
    if facts.timestep_fs > LONG_TIMESTEP * longest_fs:
        remarks.append(
            f"WARNING: a time step of {facts.timestep_fs:g} fs is long for {lightest}, which usually needs "
            f"{longest_fs:.2g} fs; is it that of the run, and not the interval between frames?"
        )
    for part, name in zip(parts, names, strict=True):
        for key, value, what in (
            ("timestep_choices_fs", facts.timestep_fs, "time step"),
            ("interval_choices_fs", facts.interval_fs, "interval between two frames"),
        ):
            choices = part.facts.get(key)
            if not choices or any(_same(value, choice) for choice in choices):
                continue
            text = " or ".join(f"{choice:.6g}" for choice in choices)
            message = (
                f"{name}: from the times in the file the {what} is {text} fs (by its unit), but {value:g} fs was given"
            )
            if not override_file:
                raise ValueError(f"{message}; give the correct value, or add {OVERRIDE}")
            remarks.append(f"WARNING: {message}; {OVERRIDE} uses the latter.")
    return remarks


def _about_temperature(facts: RunFacts, parts: Sequence[FileFrames], names: Sequence[str]) -> list[str]:
    remarks = []
    for part, name in zip(parts, names, strict=True):
        mean = part.facts.get("mean_temperature_K")
        if mean is not None and abs(mean / facts.target_temperature_K - 1) > SAME_TEMPERATURE:
            remarks.append(
                f"WARNING: the mean temperature that {name} states is {mean:.4g} K, not "
                f"{facts.target_temperature_K:g} K; the conductivity is computed for the latter."
            )
    return remarks


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, str) or isinstance(other, str):
        return bool(value == other)
    return abs(float(value) - float(other)) <= SAME * abs(float(other))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.8g}"
