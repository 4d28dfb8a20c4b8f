"""What a user asks for: of the protocol, the engines, the jobs, and what is done with the results.

The one definition of it: the options of the command line take their rules and help from here, and a field says which
setting of the protocol it changes. Knows no AiiDA, so that help can read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.engines.requests import COUNT, JobRequest
from aiida_ion.settings.md import TIME_PS
from aiida_ion.settings.rules import Flag, Json, Number, Rule, Word
from aiida_ion.settings.schema import Part, Settings, refuse_unknown, rules_of, setting
from aiida_ion.workchains.md.requests import EngineRequest
from aiida_ion.workchains.protocols import read_overrides
from aiida_ion.workchains.protocols.rules import rule_at

_ORDERINGS: Any = rules_of(OrderingSettings)["n_orderings"]


@dataclass(frozen=True)
class ProtocolChanges(Rule):
    """A mapping of changes to a protocol, or the path of a YAML file that holds one."""

    @property
    def words(self) -> str:
        """Changes to a protocol."""
        return "changes to a protocol, or a YAML file with them"

    def _read(self, value: Any, name: str) -> dict[str, Any]:
        del name
        return read_overrides(value)


def _of_protocol(*place: str, only_with_target: bool = False) -> Any:
    """Return a field that changes a setting of the protocol, judged by the rule of that setting.

    :param place: of the setting, such as ``"md", "timestep_fs"``.
    :param only_with_target: whether it means nothing without ``target_relative_error``.
    """
    rule = replace(rule_at(place), optional=True)
    return setting(rule, None, place=place, only_with_target=only_with_target)


@dataclass(frozen=True)
class RunRequest(Settings):
    """What is asked of conductivities; ``None`` is the value of the protocol, the engine or the package.

    :param protocol: ``fast``, ``balanced``, ``stringent`` or ``obelix``.
    :param temperatures_K: of the runs, K.
    :param seeds: of the replicas at each temperature.
    :param target_temperature_K: of the conductivity, K.
    :param supercell: repetitions along the three vectors.
    :param min_width_A: smallest width of the simulated cell, angstrom.
    :param relax_ions: whether the ions are relaxed first.
    :param mobile_species: element that diffuses; guessed where the protocol leaves it open.
    :param framework_species: elements that displacements are measured from; all others by default.
    :param charges: formal charge of each element, e; guessed where the protocol leaves it open.
    :param time_ps: length of each run, ps, without a target.
    :param target_relative_error: extend the runs until ``target_quantity`` is known this well.
    :param target_quantity: ``tracer_diffusivity``, ``ionic_conductivity``, ...
    :param first_time_ps: with a target, length of each run in the first round, ps.
    :param max_time_ps: with a target, the longest that a run may get, ps.
    :param max_rounds: with a target, how often the runs are extended.
    :param max_total_time_ps: with a target, the longest that all runs together may get, ps.
    :param timestep_fs: integration step, fs.
    :param sample_every: steps between stored frames.
    :param equilibration_ps: time at the start that is excluded from the analysis, ps.
    :param ensemble: ``nve``, ``nvt`` or ``npt``.
    :param thermostat: ``csvr``, ``nose_hoover`` or ``langevin``.
    :param keep: arrays to store besides positions; with several engines velocities by default.
    :param jumps: whether the jumps are analysed.
    :param max_concurrent: runs of a conductivity in parallel.
    :param max_crystals: crystals in parallel; as many as keep the computer busy by default.
    :param fit_code: code of the fits and jump analyses; that on the engine's computer by default, else on this machine.
    :param clean_workdir: whether the folders of jobs are removed once their results are stored.
    :param overrides: any other changes to the protocol, or a YAML file with them; the fields above win.
    :param engine: what the runs change about their engine.
    :param jobs: cores, wall time and scheduler of each job.
    :param reference: name of the engine that the others are compared with; the first with DFT by default.
    :param max_force_frames: frames of the reference on which each potential is evaluated.
    :param as_comparison: submit one comparison, also of a single engine.
    :param fresh: recompute existing results.
    :param orderings: ordered cells of each crystal whose sites are partly occupied.
    :param ordering_settings: other settings of the ordering, of
        :class:`~aiida_ion.analysis.disorder.settings.OrderingSettings`.
    :param group: label of the AiiDA group that takes what is submitted.
    :param force_structure: accept a file that contradicts itself or does not look like a crystal.
    """

    what: ClassVar[str] = "request"

    protocol: str | None = setting(Word(optional=True), None)
    temperatures_K: Sequence[float] | None = _of_protocol("temperatures_K")
    seeds: Sequence[int] | None = _of_protocol("seeds")
    target_temperature_K: float | None = _of_protocol("target_temperature_K")
    supercell: Sequence[int] | None = _of_protocol("supercell")
    min_width_A: float | None = _of_protocol("min_width_A")
    relax_ions: bool | None = _of_protocol("relax_ions")
    mobile_species: str | None = _of_protocol("mobile_species")
    framework_species: Sequence[str] | None = _of_protocol("diffusion", "framework_species")
    charges: Mapping[str, float] | None = _of_protocol("charges")
    time_ps: float | None = _of_protocol("md", "total_time_ps")
    target_relative_error: float | None = _of_protocol("target_relative_error")
    target_quantity: str | None = _of_protocol("target_quantity", only_with_target=True)
    first_time_ps: float | None = _of_protocol("first_time_ps", only_with_target=True)
    max_time_ps: float | None = _of_protocol("max_time_ps", only_with_target=True)
    max_rounds: int | None = _of_protocol("max_rounds", only_with_target=True)
    max_total_time_ps: float | None = _of_protocol("max_total_time_ps", only_with_target=True)
    timestep_fs: float | None = _of_protocol("md", "timestep_fs")
    sample_every: int | None = _of_protocol("md", "sample_every")
    equilibration_ps: float | None = setting(
        Number(
            least=0.0,
            most=TIME_PS["most"],
            unit="ps",
            optional=True,
            help="Time at the start excluded from the analysis",
        ),
        None,
    )
    ensemble: str | None = _of_protocol("md", "ensemble")
    thermostat: str | None = _of_protocol("md", "thermostat")
    keep: Sequence[str] | None = _of_protocol("md", "keep")
    jumps: bool | None = _of_protocol("jumps")
    max_concurrent: int | None = _of_protocol("max_concurrent")
    max_crystals: int | None = setting(
        replace(COUNT, optional=True, help="Maximum number of crystals in parallel"), None
    )
    fit_code: str | None = setting(Word(optional=True, help="Code of the fits and jump analyses"), None)
    clean_workdir: bool | None = _of_protocol("clean_workdir")
    overrides: Mapping[str, Any] | str | Path | None = setting(ProtocolChanges(optional=True), None)
    engine: EngineRequest = setting(Part(kind=EngineRequest), EngineRequest())
    jobs: JobRequest = setting(Part(kind=JobRequest), JobRequest())
    reference: str | None = setting(Word(optional=True, help="Engine that the others are compared with"), None)
    max_force_frames: int | None = setting(replace(COUNT, optional=True, help="Frames for the force errors"), None)
    as_comparison: bool = setting(Flag(), False)
    fresh: bool = setting(Flag(help="Recompute existing results."), False)
    orderings: int | None = setting(
        replace(_ORDERINGS, optional=True, help="Ordered cells of a crystal with partly occupied sites"), None
    )
    ordering_settings: Mapping[str, Any] | None = setting(
        Json(optional=True, help="Other settings of the ordering of such crystals"), None
    )
    group: str | None = setting(Word(optional=True, help="Put everything into this AiiDA group"), None)
    force_structure: bool = setting(
        Flag(help="Accept a file that contradicts itself or does not look like a crystal."), False
    )

    @classmethod
    def from_options(cls, **options: Any) -> Self:
        """Return the request of flat options: fields of it, of :class:`EngineRequest` and of :class:`JobRequest`.

        :raises SettingsError: for a name that is none of them, or a value that cannot be used.
        """
        engine, jobs = set(rules_of(EngineRequest)), set(rules_of(JobRequest))
        own = set(rules_of(cls)) - {"engine", "jobs"}
        refuse_unknown(options, own | engine | jobs, "option")
        return cls(
            engine=EngineRequest(**_only(options, engine)),
            jobs=JobRequest(**_only(options, jobs)),
            **_only(options, own),
        )

    def protocol_settings(self) -> dict[tuple[str, ...], Any]:
        """Return the settings of the protocol that are asked for, each by its place there."""
        values = {item.metadata.get("place"): getattr(self, item.name) for item in fields(self)}
        return {place: value for place, value in values.items() if place is not None and value is not None}

    def idle_without_target(self) -> list[str]:
        """Return the fields that are asked for and mean nothing without ``target_relative_error``."""
        of_target = [item.name for item in fields(self) if item.metadata.get("only_with_target")]
        return [name for name in of_target if getattr(self, name) is not None]


def _only(options: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in names}
