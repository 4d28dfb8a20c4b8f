"""What the LAMMPS jobs share: the potential, the command line, the hardware."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import IO, Any

from aiida import orm
from aiida.common import datastructures

from aiida_ion.calculations.mlip.job import refusal
from aiida_ion.calculations.script import FILENAME_HARDWARE, FILENAME_STDERR, define_exit_codes, run_environment
from aiida_ion.fingerprints import fingerprint
from aiida_ion.lammps.fitted import validate_volume
from aiida_ion.lammps.logs import EXIT_STATUS
from aiida_ion.lammps.outputs import CRASHED
from aiida_ion.lammps.pod.order import pod_command, read_species
from aiida_ion.lammps.potentials import Potential, load_potential
from aiida_ion.weight_files import look_into

FILENAME_SCREEN = "screen.txt"
FILENAME_LOG = "log.lammps"


def define_lammps_ports(spec: Any) -> None:
    """Declare the potential, its files, and the exit codes."""
    spec.input(
        "potential",
        valid_type=orm.Dict,
        validator=validate_lammps_potential,
        help="`name` of a published potential, or `commands` (LAMMPS, metal units, `{elements}` for the order of the "
        "atom types), `charges` (e), `level_of_theory` and `files`.",
    )
    spec.input_namespace(
        "files",
        valid_type=orm.SinglefileData,
        dynamic=True,
        required=False,
        help="The files that the commands name, such as a deployed machine-learning potential.",
    )
    options = spec.inputs["metadata"]["options"]
    options["resources"].default = lambda: {"num_machines": 1, "num_mpiprocs_per_machine": 1}
    options["withmpi"].default = False
    define_exit_codes(spec)
    spec.exit_code(
        225,
        "ERROR_POTENTIAL_CHANGED",
        message="The potential is not the one that was fitted: {detail}",
        invalidates_cache=True,
    )


def resolve_potential(potential: Mapping[str, Any]) -> Potential:
    """Return the potential that an input describes.

    :raises ValueError: for an unknown name, or commands that are not allowed.
    """
    if "commands" in potential:
        return load_potential(potential)
    if set(potential) != {"name"}:
        raise ValueError("a potential is only the `name` of a published one, or `commands` with `level_of_theory`")
    return load_potential(str(potential["name"]))


def validate_lammps_potential(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with a potential; ``None`` if nothing is."""
    potential = value.get_dict() if value is not None else {}
    try:
        resolve_potential(potential)
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def validate_lammps_inputs(
    inputs: Mapping[str, Any], symbols: list[str], structure: orm.StructureData | None = None
) -> str | None:
    """Return what does not match between structure, potential and its files; ``None`` if everything does.

    :param symbols: element of every atom.
    :param structure: the cell, where it is the one that is simulated, and not only frames to look at.
    """
    potential = resolve_potential(inputs["potential"].get_dict())
    try:
        potential.require(symbols)
        potential.require_neutral(symbols)
        potential.require_composition(symbols)
    except ValueError as error:
        return str(error)
    if structure is not None:
        volume_A3 = structure.get_cell_volume() / len(symbols)
        problem = validate_volume(potential.volumes_A3_atom, volume_A3, f"the potential {potential.name!r}")
        if problem is not None:
            return problem
    files = list((inputs.get("files") or {}).values())
    missing = sorted(set(potential.files) - {node.filename for node in files})
    if missing:
        return f"the potential reads {', '.join(missing)}, which is not among `files`"
    for node in files:
        with node.open(mode="rb") as stream:
            problem = validate_file(stream, node.filename, potential)
        if problem is not None:
            return problem
    return validate_species(potential, files)


def validate_species(potential: Potential, files: Iterable[orm.SinglefileData]) -> str | None:
    """Return why a potential's order of elements is not that of its POD parameter file; ``None`` if it is, or has none.

    :param files: what its commands read.
    """
    pod = pod_command(potential.header)
    if pod is None:
        return None
    by_name = {node.filename: node for node in files}
    if pod.param not in by_name:
        return f"the potential reads {pod.param}, which is not among `files`"
    try:
        species = read_species(by_name[pod.param].get_content(mode="r"))
    except ValueError as error:
        return f"{pod.param}: {error}"
    if species != potential.species:
        return (
            f"the potential says species {' '.join(potential.species)}, and {pod.param} {' '.join(species)}: LAMMPS "
            "would take one element for another without a word"
        )
    return None


def validate_file(stream: IO[bytes], name: str, potential: Potential) -> str | None:
    """Return why LAMMPS must not read a file of a potential; ``None`` if it may.

    :param stream: the file, open.
    :param name: its name.
    """
    look = look_into(stream, any_format=True)
    if look.fault is not None:
        return f"{name} {look.fault}"
    if not (look.runs_code or potential.unpickles):
        return None
    stream.seek(0)
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    if sha256 in potential.trusted_sha256:
        return None
    danger = look.danger() if look.runs_code else "is unpickled by this pair style, and a pickle can run any code"
    return refusal(f"{name} {danger}", sha256)


def explained(status: str, message: str, inputs: Any) -> str:
    """Return the message of a job, with what is known of crashes of its pair style."""
    if status != CRASHED or pod_command(resolve_potential(inputs.potential.get_dict()).header) is None:
        return message
    return f"{message.rstrip('.')}; pair_style pod crashes where an atom has no neighbours within the cut-off"


def lammps_fingerprint(inputs: Any) -> dict[str, Any]:
    """Return the fingerprint of a classical potential and its hash, for the output `versions`."""
    potential = inputs.potential.get_dict()
    facts = {key: potential.get(key) for key in ("name", "commands", "charges")}
    files = {}
    for node in dict(inputs.files if "files" in inputs else {}).values():
        with node.open(mode="rb") as stream:
            files[node.filename] = hashlib.file_digest(stream, "sha256").hexdigest()
    return fingerprint({"program": "LAMMPS", **facts, "files_sha256": files or None})


def lammps_job(
    inputs: Mapping[str, Any],
    script: str,
    temporary: Iterable[str],
) -> datastructures.CalcInfo:
    """Return the job description of a LAMMPS input script.

    :param script: name of the input script in the working folder.
    :param temporary: files that are parsed and then dropped; patterns are allowed.
    """
    code = datastructures.CodeInfo()
    code.code_uuid = inputs["code"].uuid
    code.cmdline_params = ["-in", script, "-log", FILENAME_LOG, "-nocite"]
    code.stdout_name, code.stderr_name = FILENAME_SCREEN, FILENAME_STDERR
    info = datastructures.CalcInfo()
    info.codes_info = [code]
    info.prepend_text = run_environment(inputs["metadata"]["options"])
    info.append_text = f'status=$?; [ $status -eq 0 ] || echo "{EXIT_STATUS} $status" >> {FILENAME_STDERR}'
    info.retrieve_list = [FILENAME_LOG, FILENAME_STDERR]
    patterns: list[str | tuple[str, str, int]] = [FILENAME_HARDWARE]
    patterns += [(name, ".", 0) if "*" in name else name for name in temporary if name != FILENAME_LOG]
    info.retrieve_temporary_list = patterns
    info.local_copy_list = [(node.uuid, node.filename, node.filename) for node in (inputs.get("files") or {}).values()]
    return info
