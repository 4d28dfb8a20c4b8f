"""What the VASP jobs share: potentials, k-points and electronic tags; the four input files; parsing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, exceptions, folders
from numpy.typing import ArrayLike

from aiida_ion.calculations.dft.kpoints import gamma_point
from aiida_ion.calculations.dft.level import vasp_fingerprint
from aiida_ion.calculations.dft.md import define_scf_exit_code, dft_symbols_and_masses
from aiida_ion.calculations.script import (
    FILENAME_HARDWARE,
    FILENAME_STDERR,
    ScriptParser,
    define_exit_codes,
    read_hardware,
    run_environment,
)
from aiida_ion.dft.vasp.functional import functional_name
from aiida_ion.dft.vasp.input import OWNED_TAGS, SHORT_OUTPUT, SiteGroups, in_poscar_order, incar_text, poscar_text
from aiida_ion.dft.vasp.log import excerpt
from aiida_ion.dft.vasp.output import CONTCAR, OUTCAR, STDOUT, VASPRUN, VaspFiles

try:
    from aiida_vasp.data.potcar import PotcarData as PotcarData  # noqa: PLC0414 - the work chain takes it from here
    from aiida_vasp.parsers.content_parsers.kpoints import KpointsParser
    from aiida_vasp.parsers.content_parsers.potcar import MultiPotcarIo
    from parsevasp.constants import incar_tags  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(f"the VASP engine needs aiida-vasp: pip install 'aiida-ion[vasp]' ({error})") from error

UPLOAD_ADVICE = "upload it with `aiida-vasp potcar uploadfamily`"
FILENAME_LOG = "vasp.log"


def define_vasp_ports(spec: Any) -> None:
    """Declare potentials, k-points and electronic tags, the log, and the exit codes."""
    spec.input_namespace(
        "potential",
        valid_type=PotcarData,
        dynamic=True,
        help="The POTCAR of each kind of the structure, by its name; the licensed files stay out of the provenance.",
    )
    spec.input(
        "kpoints", valid_type=orm.KpointsData, default=gamma_point, help="Mesh or list; the Gamma point by default."
    )
    spec.input(
        "incar",
        valid_type=orm.Dict,
        validator=validate_incar,
        help="Tags in lower case on the electrons: `encut` (must be given), `ediff`, `prec`, `algo`, `gga`, `ispin`, "
        "`ncore`, ...; `magmom` is a list in the order of the structure, `ldauu` and its like of its kinds. The "
        "settings of the run give all others.",
    )
    spec.output(
        "log", valid_type=orm.SinglefileData, required=False, help="Head and tail of OUTCAR and of standard output."
    )
    spec.inputs["metadata"]["options"]["resources"].default = lambda: {
        "num_machines": 1,
        "num_mpiprocs_per_machine": 1,
    }
    define_exit_codes(spec)
    define_scf_exit_code(spec)


def validate_incar(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with electronic tags; ``None`` if VASP knows them and the user may set them."""
    tags = value.get_dict() if value is not None else {}
    not_lower = [tag for tag in tags if tag != tag.lower()]
    if not_lower:
        return f"write tags in lower case: {', '.join(not_lower)}"
    owned = sorted(set(tags) & OWNED_TAGS)
    if owned:
        return (
            f"{', '.join(owned)} cannot be set here: the settings of the run, the structure and `kpoints` decide; "
            "change those instead"
        )
    unknown = sorted(set(tags) - set(incar_tags))
    if unknown:
        return f"VASP knows no tag {', '.join(unknown)}"
    return None if tags.get("encut") else "give `encut`, eV: its default would change with the elements"


def validate_vasp_inputs(inputs: Mapping[str, Any]) -> str | None:
    """Return what does not match between structure, potentials and tags; ``None`` if everything does."""
    structure, incar, potential = inputs.get("structure"), inputs.get("incar"), inputs.get("potential") or {}
    if structure is None or incar is None:
        return None
    for kind in structure.kinds:
        if kind.name not in potential:
            return f"`potential` has no POTCAR for {kind.name}: give one for each kind of the structure"
        given = potential[kind.name]
        if given.element != kind.symbols[0]:
            return f"the potential of {kind.name} is of {given.element} ({given.title}), not of {kind.symbols[0]}"
        if not _has_content(given):
            return f"the file of {given.title} ({kind.name}) is not in this profile: {UPLOAD_ADVICE}"
    magmom = incar.get_dict().get("magmom")
    if magmom is not None and (not isinstance(magmom, list) or len(magmom) != len(structure.sites)):
        return f"magmom must be a list of {len(structure.sites)} numbers, one for each site of the structure"
    return None


def _has_content(potential: Any) -> bool:
    try:
        potential.find_file_node()
    except exceptions.NotExistent:
        return False
    return True


def site_groups(structure: orm.StructureData) -> SiteGroups:
    """Return the sites in the order of POSCAR, one block for each kind."""
    return SiteGroups.of([site.kind_name for site in structure.sites])


def masses_of_blocks(structure: orm.StructureData) -> list[float]:
    """Return the mass of each block of POSCAR, g/mol: ASE's, as in every engine; those of POTCARs are rounded."""
    masses, groups = dft_symbols_and_masses(structure)[1][site_groups(structure).order], site_groups(structure)
    firsts = np.concatenate([[0], np.cumsum(groups.counts)[:-1]])
    return [float(mass) for mass in masses[firsts]]


def write_vasp_inputs(
    folder: folders.Folder,
    inputs: Any,
    tags: Mapping[str, Any],
    positions: ArrayLike,
    velocities: ArrayLike | None = None,
) -> None:
    """Write INCAR, POSCAR, KPOINTS and POTCAR.

    :param tags: what follows from the settings of the run.
    :param positions: shape (N, 3), angstrom, in the order of the structure.
    :param velocities: shape (N, 3), angstrom/fs.
    """
    structure, groups = inputs.structure, site_groups(inputs.structure)
    electrons = in_poscar_order(inputs.incar.get_dict(), groups.order)
    target = Path(folder.get_abs_path("."))
    (target / "INCAR").write_text(incar_text({"system": "aiida-ion", **SHORT_OUTPUT, **electrons, **tags}))
    ordered = [None if array is None else np.asarray(array)[groups.order] for array in (positions, velocities)]
    symbols = [structure.get_kind(kind).symbols[0] for kind in groups.kinds]
    poscar = poscar_text(structure.get_formula(), structure.cell, symbols, groups.counts, ordered[0], ordered[1])  # type: ignore[arg-type]
    (target / "POSCAR").write_text(poscar)
    KpointsParser(data=inputs.kpoints).write(str(target / "KPOINTS"))
    MultiPotcarIo([inputs.potential[kind] for kind in groups.kinds]).write(target / "POTCAR")


def vasp_job(inputs: Any, stop_after_s: float | None) -> datastructures.CalcInfo:
    """Return the job description.

    VASP has no time limit: after ``stop_after_s`` a watchdog asks it to end with the current step.
    """
    code = datastructures.CodeInfo()
    code.code_uuid = inputs.code.uuid
    code.stdout_name, code.stderr_name = STDOUT, FILENAME_STDERR
    info = datastructures.CalcInfo()
    info.codes_info = [code]
    info.prepend_text = run_environment(inputs.metadata.options)
    if stop_after_s is not None:
        info.prepend_text += (
            "( trap 'kill $!' TERM; sleep "
            f"{stop_after_s:.0f} & wait $! && echo 'LSTOP = .TRUE.' > STOPCAR ) > /dev/null 2>&1 &\n"
            "WATCHDOG=$!\n"
        )
        info.append_text = "kill $WATCHDOG 2> /dev/null"
    info.retrieve_list = [FILENAME_STDERR]
    info.retrieve_temporary_list = [VASPRUN, OUTCAR, CONTCAR, STDOUT, FILENAME_HARDWARE]
    # The licence forbids passing POTCAR on, and an archive of this node would do so.
    info.provenance_exclude_list = ["POTCAR"]
    return info


class VaspParser(ScriptParser):
    """What the parsers of the VASP jobs share."""

    def files(self, folder: str | None) -> VaspFiles:
        """Return the files of the job and its error streams."""
        return VaspFiles(Path(folder or ""), self.error_streams())

    def keep_log(self, files: VaspFiles) -> bool:
        """Attach head and tail of the logs, and return whether VASP wrote anything."""
        kept = excerpt(files.folder / OUTCAR, files.folder / STDOUT)
        if kept:
            self.out("log", orm.SinglefileData(io.BytesIO(kept.encode()), filename=FILENAME_LOG))
        return (files.folder / OUTCAR).is_file() or (files.folder / VASPRUN).is_file()

    def cost(self, files: VaspFiles) -> dict[str, Any]:
        """Return the cost ledger with the processor's name."""
        cost = files.cost()
        return cost | {"hardware": read_hardware(files.folder)} if cost else {}

    def provenance(self) -> dict[str, Any]:
        """Return the level of theory: functional, POTCARs with their hashes, fingerprint."""
        potential = self.node.inputs.potential
        titles = {kind: str(potential[kind].title) for kind in site_groups(self.node.inputs.structure).kinds}
        return {
            "functional": functional_name(self.node.inputs.incar.get_dict(), titles.values()),
            "potentials": titles,
            "potential_sha512": {kind: str(potential[kind].sha512) for kind in titles},
            **vasp_fingerprint(self.node.inputs),
        }
