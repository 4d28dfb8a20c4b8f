"""What the Quantum ESPRESSO jobs share: pseudopotentials, namelists, what is refused, the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common import datastructures, folders
from aiida.common.exceptions import EntryPointError
from aiida.plugins import CalculationFactory, DataFactory

from aiida_ion.aiida_private.pw_inputs import pw_input_text
from aiida_ion.calculations.dft.kpoints import gamma_point, is_gamma
from aiida_ion.calculations.dft.md import define_scf_exit_code, dft_symbols_and_masses
from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.script import (
    FILENAME_HARDWARE,
    FILENAME_STDERR,
    define_exit_codes,
    run_environment,
)
from aiida_ion.dft.pw.input import Namelists, n_k_points, normal_namelists, with_start

FILENAME_CRASH = "CRASH"


def foreign(factory: Any, name: str) -> Any:
    """Return a class of aiida-quantumespresso or aiida-pseudo.

    :raises ImportError: naming what to install, if it is not there.
    """
    try:
        return factory(name)
    except EntryPointError as error:
        raise ImportError(f"{name} is not installed: pip install 'aiida-ion[quantumespresso]'") from error


def define_pw_ports(spec: Any) -> None:
    """Declare what concerns electrons and parallelization, the log, and the exit codes."""
    spec.input_namespace(
        "pseudos",
        valid_type=foreign(DataFactory, "pseudo.upf"),
        dynamic=True,
        help="The pseudopotential of each kind of the structure.",
    )
    spec.input("kpoints", valid_type=orm.KpointsData, default=gamma_point, help="k-points; the Gamma point by default.")
    spec.input(
        "namelists",
        valid_type=orm.Dict,
        validator=validate_namelists,
        help="pw.x namelists for the electrons: `SYSTEM` (ecutwfc in Ry, occupations, ...), `ELECTRONS` (conv_thr in "
        "Ry, mixing_beta, ...). What the MD settings or the structure say is refused here.",
    )
    spec.input(
        "parallelization",
        valid_type=orm.Dict,
        required=False,
        validator=validate_parallelization,
        help="Command-line flags of pw.x: `npool`, `nband`, `ntg`, `ndiag`.",
    )
    spec.output(
        "log",
        valid_type=orm.SinglefileData,
        required=False,
        help="Head and tail of pw.x's output, for a person to read; all of it stays in the remote folder.",
    )
    options = spec.inputs["metadata"]["options"]
    options["resources"].default = lambda: {"num_machines": 1, "num_mpiprocs_per_machine": 1}
    options["withmpi"].default = False
    define_exit_codes(spec)
    define_scf_exit_code(spec)


def validate_namelists(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the namelists; ``None`` if nothing is."""
    try:
        normal_namelists(value.get_dict() if value is not None else {})
    except ValueError as error:
        return str(error)
    return None


def validate_parallelization(value: orm.Dict | None, port: Any) -> str | None:
    """Return what is wrong with the flags; ``None`` if nothing is."""
    problem: str | None = foreign(CalculationFactory, "quantumespresso.pw").validate_parallelization(value, port)
    return problem


def validate_pw_inputs(inputs: Mapping[str, Any]) -> str | None:
    """Return what does not match among structure, pseudopotentials, electrons, k-points and processes."""
    structure, pseudos = inputs.get("structure"), inputs.get("pseudos") or {}
    if structure is None or inputs.get("namelists") is None:
        return None
    try:
        symbols_of(structure)
        system = normal_namelists(inputs["namelists"].get_dict())["SYSTEM"]
    except ValueError as error:
        return str(error)
    for kind in structure.kinds:
        if kind.name not in pseudos:
            return f"pseudos has no pseudopotential for {kind.name}; give one of the element {kind.symbols[0]}"
        if pseudos[kind.name].element != kind.symbols[0]:
            return f"the pseudopotential of {kind.name} is one of {pseudos[kind.name].element}"
    return _validate_electrons(structure, pseudos, system) or _validate_pools(inputs)


def n_electrons(structure: orm.StructureData, pseudos: Mapping[str, Any], system: Mapping[str, Any]) -> float:
    """Return the number of valence electrons of the cell."""
    neutral = sum(pseudos[site.kind_name].z_valence for site in structure.sites)
    return float(neutral - system.get("tot_charge", 0.0))


def _validate_electrons(structure: Any, pseudos: Mapping[str, Any], system: Mapping[str, Any]) -> str | None:
    electrons = n_electrons(structure, pseudos, system)
    fixed = system.get("occupations", "fixed") == "fixed" and system.get("nspin", 1) == 1
    if fixed and electrons % 2 != 0:
        return (
            f"{electrons:g} electrons cannot fill bands in pairs: set SYSTEM occupations to smearing with a degauss in "
            "Ry, or a tot_charge"
        )
    return None


def _validate_pools(inputs: Mapping[str, Any]) -> str | None:
    if inputs.get("parallelization") is None:
        return None
    pools = inputs["parallelization"].get_dict().get("npool", 1)
    points = count_k_points(inputs["kpoints"]) if inputs.get("kpoints") is not None else 1
    if pools > points:
        return f"parallelization asks for {pools} pools, and there are {points} k-points; ask for at most that many"
    return None


def count_k_points(kpoints: orm.KpointsData) -> int:
    """Return how many k-points pw.x computes."""
    try:
        mesh, offset = kpoints.get_kpoints_mesh()
    except AttributeError:
        return len(kpoints.get_kpoints())
    return n_k_points(mesh, offset)


def write_pw_input(
    inputs: Any, folder: folders.Folder, name: str, namelists: Namelists, positions: Any, velocities: Any = None
) -> list[tuple[str, str, str]]:
    """Write one input of pw.x; return the pseudopotentials to copy.

    aiida-quantumespresso writes it, except for positions and velocities, which it would round.

    :param positions: shape (N, 3), angstrom.
    :param velocities: shape (N, 3), angstrom/fs.
    """
    plugin = foreign(CalculationFactory, "quantumespresso.pw")
    structure = with_ase_masses(inputs.structure)
    settings = {"GAMMA_ONLY": True} if is_gamma(inputs.kpoints) else {}
    text, copies = pw_input_text(plugin, namelists, settings, inputs.pseudos, structure, inputs.kpoints)
    labels = [site.kind_name for site in structure.sites]
    Path(folder.get_abs_path(name)).write_text(with_start(text, labels, positions, velocities))
    return copies


def with_ase_masses(structure: orm.StructureData) -> orm.StructureData:
    """Return the structure with ASE's masses of the elements, which every engine uses."""
    symbols, masses = dft_symbols_and_masses(structure)
    mass_of = dict(zip(symbols, map(float, masses), strict=True))
    heavy: orm.StructureData = structure.clone()
    kinds = [kind | {"mass": mass_of[kind["symbols"][0]]} for kind in heavy.base.attributes.get("kinds")]
    heavy.base.attributes.set("kinds", kinds)
    return heavy


def pw_job(
    inputs: Any, folder: folders.Folder, stems: Sequence[str], pseudos: Sequence[tuple[str, str, str]]
) -> datastructures.CalcInfo:
    """Return the job description of one or more runs of pw.x, one after the other.

    :param stems: name of each run: it reads ``stem.in`` and writes ``stem.out``.
    :param pseudos: files to copy.
    """
    for name in ("pseudo", "out"):
        folder.get_subfolder(name, create=True)
    flags = inputs.parallelization.get_dict() if "parallelization" in inputs else {}
    info = datastructures.CalcInfo()
    info.codes_info = []
    for stem in stems:
        code = datastructures.CodeInfo()
        code.code_uuid = inputs.code.uuid
        words = [word for flag, value in flags.items() for word in (f"-{flag}", str(value))]
        code.cmdline_params = [*words, "-in", f"{stem}.in"]
        code.stdout_name, code.stderr_name = f"{stem}.out", error_name(stem, stems)
        info.codes_info.append(code)
    info.prepend_text = run_environment(inputs.metadata.options)
    info.local_copy_list = list(pseudos)
    info.retrieve_list = [FILENAME_CRASH, *(error_name(stem, stems) for stem in stems)]
    info.retrieve_temporary_list = [FILENAME_HARDWARE, *(f"{stem}.out" for stem in stems)]
    return info


def error_name(stem: str, stems: Sequence[str]) -> str:
    """Return the file of a run's error stream; that of the last run has the name that all jobs use."""
    return FILENAME_STDERR if stem == stems[-1] else f"{stem}-{FILENAME_STDERR}"
