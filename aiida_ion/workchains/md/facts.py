"""What the rest of the package asks of an engine: its jobs, its options, its test. Its MD work chain answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aiida import orm
from aiida.engine import CalcJob

from aiida_ion.calculations.dft.kpoints import mesh_of_part
from aiida_ion.engine_kinds import job_name
from aiida_ion.settings.md import THERMOSTATS
from aiida_ion.workchains.md.bands import Bands
from aiida_ion.workchains.md.requests import EngineRequest, EngineSetup, changed_fields
from aiida_ion.workchains.md.single_points import SinglePoints
from aiida_ion.workchains.md.small_cells import lithium_oxide


class EngineFacts:
    """The facts about one engine; a new engine states only what differs.

    The registry of engines (`aiida-ion engine add`) keeps four things, and each job gets them as its inputs:
    ``potential``, a mapping; ``checkpoint``, a file of weights; ``files``, what a potential reads besides; and
    ``choices``, all other inputs of `engine_inputs`.
    """

    #: The job of molecular dynamics.
    _process_class: type[CalcJob]
    #: The job that relaxes ions with the same engine inputs.
    relax_class: ClassVar[type[CalcJob]]
    #: The job that evaluates stored frames with the same engine inputs; ``None`` where forces come only from runs.
    forces_class: ClassVar[type[CalcJob] | None] = None
    #: The job that runs many replicas with the same engine inputs; ``None`` where there is none.
    batch_class: ClassVar[type[CalcJob] | None] = None
    #: Single points at other cut-offs and k-points; ``None`` where the engine converges no electrons.
    single_points: ClassVar[type[SinglePoints] | None] = None
    #: The job that computes barriers of hops with the same engine inputs; ``None`` where the engine has none.
    hops_class: ClassVar[type[CalcJob] | None] = None
    #: Bands by its plugin; ``None`` where it has none.
    bands: ClassVar[type[Bands] | None] = None
    #: Engine inputs that a relaxation, and an evaluation of frames, take too.
    engine_ports: ClassVar[tuple[str, ...]] = ()
    #: Thermostats that the engine has.
    thermostats: ClassVar[tuple[str, ...]] = THERMOSTATS
    #: Whether it converges electrons: it is the reference of potentials, and a step takes about the atoms squared.
    is_dft: ClassVar[bool] = False
    #: Whether its program is the Python of an environment, not an executable.
    needs_python: ClassVar[bool] = False
    #: Starts of the names of its executables, by which `engine add` knows them.
    executables: ClassVar[tuple[str, ...]] = ()
    #: Fields of `EngineSetup` that it reads: options of `aiida-ion engine add`, beside those of every engine.
    add_options: ClassVar[tuple[str, ...]] = ("inputs",)
    #: Fields of `EngineRequest` that it reads: options of `aiida-ion run` that change its choices for one run.
    run_options: ClassVar[tuple[str, ...]] = ()
    #: Steps of 1 fs of its test, where the user does not say.
    test_steps: ClassVar[int] = 20

    @classmethod
    def md_job(cls) -> str:
        """Return the entry point of the job of molecular dynamics."""
        return job_name(cls._process_class)

    @classmethod
    def relax_job(cls) -> str:
        """Return the entry point of the job that relaxes ions."""
        return job_name(cls.relax_class)

    @classmethod
    def forces_job(cls) -> str | None:
        """Return the entry point of the job that evaluates frames; ``None`` without one."""
        return None if cls.forces_class is None else job_name(cls.forces_class)

    @classmethod
    def batch_job(cls) -> str | None:
        """Return the entry point of the job that runs many replicas; ``None`` without one."""
        return None if cls.batch_class is None else job_name(cls.batch_class)

    @classmethod
    def level_of_theory(cls, engine: Mapping[str, Any]) -> str:
        """Return the name of the level of theory that engine inputs stand for."""
        raise NotImplementedError

    @classmethod
    def engine_inputs(cls, structure: orm.StructureData, protocol: str | None = None, **choices: Any) -> dict[str, Any]:
        """Return the engine namespace for a structure; plain mappings become nodes, ``None`` is left out.

        :param structure: the crystal.
        :param protocol: name of the protocol of the whole; engines that converge electrons have settings for it.
        :param choices: the engine's own inputs.
        :raises ValueError: if something is missing or does not fit the structure; the message says what.
        """
        del structure, protocol
        return {key: as_node(value) for key, value in choices.items() if value is not None}

    @classmethod
    def remarks(cls, structure: orm.StructureData, engine: Mapping[str, Any]) -> list[str]:
        """Return sentences on what the user should know before the engine runs this structure."""
        del structure, engine
        return []

    @classmethod
    def relax_builder(
        cls, structure: orm.StructureData, engine: Mapping[str, Any], multiples: Sequence[int] = (1, 1, 1)
    ) -> Any:
        """Return the builder of a relaxation with the same engine inputs.

        :param multiples: the supercell that the engine inputs are for; its k-points are those of a finer mesh here.
        """
        builder: Any = cls.relax_class.get_builder()
        builder.structure = structure
        for name, value in cls.shared_inputs(engine).items():
            setattr(builder, name, value)
        if engine.get("kpoints") is not None:
            builder.kpoints = mesh_of_part(engine["kpoints"], multiples)
        options = engine.get("metadata", {}).get("options", {})
        if options:
            builder.metadata.options = dict(options)
        return builder

    @classmethod
    def shared_inputs(cls, engine: Mapping[str, Any]) -> dict[str, Any]:
        """Return the engine inputs that a relaxation and an evaluation of frames take, too."""
        return {name: engine[name] for name in cls.engine_ports if engine.get(name) is not None}

    @classmethod
    def read_options(cls, setup: EngineSetup) -> dict[str, Any]:
        """Return what the registry keeps of the options of `aiida-ion engine add`.

        :param setup: the options; the engine reads those in `add_options`.
        :returns: any of ``potential``, ``checkpoint`` (a path), ``files`` and ``choices``.
        :raises ValueError: if something is missing or cannot be used.
        """
        return {"choices": dict(setup.inputs or {})}

    @classmethod
    def cutoff_warnings(cls, choices: Mapping[str, Any]) -> list[str]:
        """Return a sentence for each pseudopotential that suggests higher cut-offs than the registry keeps."""
        del choices
        return []

    @classmethod
    def validate_potential(cls, potential: Mapping[str, Any]) -> str | None:
        """Return why a potential, as the registry keeps it, cannot be used; ``None`` if it can."""
        return "this engine takes no potential" if potential else None

    @classmethod
    def trusted_hashes(cls, kept: Mapping[str, Any], computer: str, trusts: bool) -> list[str]:
        """Look at the files of an engine, and return the hashes of those that run code and that the user trusts.

        :param kept: what `read_options` returned.
        :param computer: label of the computer; what lies on another one than this cannot be looked at.
        :param trusts: whether the user trusts the files.
        :raises ValueError: for a file that cannot be weights, and for one that runs code and is not trusted.
        """
        del kept, computer, trusts
        return []

    @classmethod
    def with_run_options(cls, choices: Mapping[str, Any], request: EngineRequest) -> dict[str, Any]:
        """Return what `engine_inputs` takes for one run.

        :param choices: what the registry keeps, with the code.
        :param request: what this run changes; the engine reads the fields in `run_options`.
        :raises ValueError: if something is still missing.
        """
        return {**choices, **cls.run_changes(request)}

    @classmethod
    def run_changes(cls, request: EngineRequest) -> dict[str, Any]:
        """Return the fields of a request that the engine reads and that are set."""
        return {name: value for name, value in changed_fields(request).items() if name in cls.run_options}

    @classmethod
    def test_choices(cls, choices: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `engine_inputs` takes in the engine's test, also where each run names a potential of its own."""
        return dict(choices)

    @classmethod
    def test_cell(cls, choices: Mapping[str, Any]) -> tuple[orm.StructureData, float]:
        """Return a small crystal that the engine knows with these choices, and a temperature (K) where it is solid."""
        del choices
        return lithium_oxide(), 300.0


def as_node(value: Any) -> Any:
    """Return plain mappings as ``Dict`` nodes; nodes, and mappings of nodes, as they are."""
    plain = isinstance(value, Mapping) and not any(isinstance(item, orm.Node) for item in value.values())
    return orm.Dict(dict(value)) if plain else value
