"""What a DFT engine takes beside its program: pseudopotentials, cut-offs, electronic settings."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.plugins import DataFactory, GroupFactory

from aiida_ion.calculations.vasp.job import validate_incar
from aiida_ion.dft.pw_input import normal_namelists, spelled
from aiida_ion.dft.upf import common_functional, read_upf_header
from aiida_ion.settings.files import read_yaml

#: Stands for a cut-off while the rest of the settings is looked at, which the protocol or the family gives one.
ANY_CUTOFF = 100.0
#: Start of the name of an executable -> the work chain that drives it.
EXECUTABLES = {
    "pw": "ion.md.quantumespresso",
    "vasp": "ion.md.vasp",
    "mock-vasp": "ion.md.vasp",
    "lmp": "ion.md.lammps",
}
KINDS = {"quantumespresso": "ion.md.quantumespresso", "vasp": "ion.md.vasp", "lammps": "ion.md.lammps"}


def entry_point_of(executable: str, kind: str | None) -> str:
    """Return the work chain that drives an executable.

    :param executable: its path.
    :param kind: a key of ``KINDS``; guessed from the executable's name when not given.
    :raises ValueError: if the name says nothing.
    """
    if kind is not None:
        return KINDS[kind]
    name = PurePath(executable).name
    found = [entry_point for start, entry_point in EXECUTABLES.items() if name.startswith(start)]
    if not found:
        raise ValueError(f"what {name} is cannot be told from its name: give --kind, one of {', '.join(KINDS)}")
    return found[0]


def absolute_program(executable: str, computer: str) -> str:
    """Return the absolute path of an executable; one on this machine may be named as the shell finds it.

    :raises ValueError: if the shell does not find it.
    """
    if PurePath(executable).is_absolute() or computer != "localhost":
        return executable
    found = shutil.which(executable)
    if found is None:
        raise ValueError(f"{executable} is not on the PATH; give its absolute path, or install it")
    return str(Path(found).absolute())


def mpi_as_root(computer: str, processes: int) -> str:
    """Return shell lines without which Open MPI refuses to start for root, as in a container; else nothing."""
    if computer != "localhost" or processes == 1 or os.geteuid() != 0:
        return ""
    return "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1\n"


def quantumespresso_choices(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``ion.md.quantumespresso`` takes beside its code, from the options of the command line.

    :raises ValueError: if the pseudopotentials are not there or cannot be used.
    """
    namelists = read_settings(given["settings"]) if given.get("settings") is not None else {}
    system = _system_of(namelists)
    has_cutoff = given.get("ecutwfc_ry") is not None or "ecutwfc" in system
    choices: dict[str, Any] = {"pseudo_family": pseudo_family(given.get("pseudos") or (), has_cutoff, system)}
    for option, name in (("ecutwfc_ry", "ecutwfc_Ry"), ("ecutrho_ry", "ecutrho_Ry")):
        if given.get(option) is not None:
            choices[name] = given[option]
    if namelists:
        choices["namelists"] = namelists
    if given.get("kpoints"):
        choices["kpoints"] = given["kpoints"]
    if given.get("pools"):
        choices["parallelization"] = {"npool": given["pools"]}
    return choices


def vasp_choices(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``ion.md.vasp`` takes beside its code, from the options of the command line.

    :raises ValueError: if the family of POTCARs is not there.
    """
    family = given.get("potcars")
    if not family:
        raise ValueError("give --potcars, a family made by 'aiida-vasp potcar uploadfamily'")
    if not _groups(family):
        raise ValueError(f"there is no family of POTCARs {family!r}: make it with 'aiida-vasp potcar uploadfamily'")
    choices: dict[str, Any] = {"potential_family": family}
    if given.get("potcar_map"):
        choices["potential_mapping"] = dict(given["potcar_map"])
    if given.get("settings") is not None:
        choices["incar"] = read_settings(given["settings"])
        tags = {str(tag).lower(): value for tag, value in choices["incar"].items() if value is not None}
        problem = validate_incar(orm.Dict({"encut": ANY_CUTOFF} | tags), None)
        if problem is not None:
            raise ValueError(f"{PurePath(given['settings']).name}: {problem}")
    if given.get("kpoints"):
        choices["kpoints"] = given["kpoints"]
    return choices


def read_settings(path: str) -> dict[str, Any]:
    """Return electronic settings that win over the protocol's, from a YAML file.

    :raises ValueError: if it holds no mapping.
    """
    return read_yaml(path, "electronic settings")


def _system_of(namelists: Mapping[str, Any]) -> dict[str, Any]:
    """Return SYSTEM of namelists that can be used.

    :raises ValueError: for a namelist or a key that is not the user's to set.
    """
    system = dict(spelled(namelists).get("SYSTEM", {}))
    normal_namelists({**spelled(namelists), "SYSTEM": {"ecutwfc": ANY_CUTOFF} | system})
    return system


def pseudo_family(given: Sequence[str], has_cutoff: bool = True, system: Mapping[str, Any] | None = None) -> str:
    """Return the label of a family of pseudopotentials: one that is installed, or one made of files.

    :param given: a label; or a folder, or files, with one UPF for each element.
    :param has_cutoff: whether the user gives the cut-off of the wave functions.
    :param system: the user's namelist SYSTEM; with `input_dft` the functionals may differ.
    :raises ValueError: if there is none of that name, the files do not make a family, they were made with different
        functionals, or there is no cut-off.
    """
    has_functional = "input_dft" in (system or {})
    if not given:
        raise ValueError(
            "give --pseudos: a family ('aiida-pseudo install sssp' makes one), a folder of UPF files, or the files"
        )
    paths = [Path(name) for name in given]
    if len(given) == 1 and not paths[0].exists():
        if not _groups(given[0]):
            raise ValueError(f"{given[0]!r} is neither a folder nor an installed family; see 'aiida-pseudo list'")
        family: Any = orm.load_group(given[0])
        if not has_cutoff and not (hasattr(family, "get_cutoff_stringencies") and family.get_cutoff_stringencies()):
            raise ValueError(f"the family {given[0]} has no cut-offs: give --ecutwfc-Ry")
        return given[0]
    files = sorted(path for path in paths[0].iterdir() if path.suffix.lower() == ".upf") if paths[0].is_dir() else paths
    missing = [str(path) for path in files if not path.is_file()]
    if missing or not files:
        raise ValueError(f"no such pseudopotential: {', '.join(missing) or paths[0]}")
    by_element = _one_each(files)
    if not has_functional:
        found = {name: read_upf_header(path.read_text(errors="replace")) for name, path in by_element.items()}
        common_functional({name: header.functional for name, header in found.items()})
    if not has_cutoff:
        raise ValueError("files of pseudopotentials come without cut-offs: give --ecutwfc-Ry")
    return _family_of_files(files)


def _family_of_files(files: Sequence[Path]) -> str:
    """Return the label of the family that holds exactly these files, made when it is not there."""
    family_class: Any = GroupFactory("pseudo.family.cutoffs")
    upf: Any = DataFactory("pseudo.upf")
    digest = hashlib.sha256(b"".join(sorted(path.read_bytes() for path in files))).hexdigest()
    label = f"{files[0].absolute().parent.name}-{digest[:8]}"
    if _groups(label):
        return label
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            shutil.copy(path, folder)
        try:
            family = family_class.create_from_folder(Path(folder), label, pseudo_type=upf)
        except (ValueError, exceptions.ValidationError) as error:
            raise ValueError(f"these files make no family of pseudopotentials: {error}") from error
    return str(family.label)


def _one_each(files: Sequence[Path]) -> dict[str, Path]:
    """Return the file of each element.

    :raises ValueError: for a file that is no UPF, or two of one element.
    """
    upf: Any = DataFactory("pseudo.upf")
    by_element: dict[str, list[Path]] = {}
    for path in files:
        try:
            with path.open("rb") as stream:
                element = upf(stream, filename=path.name).element
        except ValueError as error:
            raise ValueError(f"{path.name} cannot be read as a UPF pseudopotential: {error}") from error
        by_element.setdefault(element, []).append(path)
    double = [
        f"{element}: {', '.join(path.name for path in paths)}"
        for element, paths in by_element.items()
        if len(paths) > 1
    ]
    if double:
        raise ValueError(f"more than one pseudopotential for {'; '.join(double)}: name one file for each element")
    return {element: paths[0] for element, paths in by_element.items()}


def _groups(label: str) -> bool:
    return orm.QueryBuilder().append(orm.Group, filters={"label": label}).count() > 0
