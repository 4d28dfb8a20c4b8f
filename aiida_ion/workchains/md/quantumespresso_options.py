"""From the options of ``aiida-ion engine add`` to pseudopotentials, cut-offs and namelists of pw.x."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.plugins import DataFactory, GroupFactory

from aiida_ion.calculations.dft.cutoff_hints import upf_hints
from aiida_ion.dft.cutoffs import cutoff_warnings
from aiida_ion.dft.pw.input import normal_namelists, spelled
from aiida_ion.dft.pw.upf import common_functional, read_upf_header
from aiida_ion.settings.files import read_yaml
from aiida_ion.workchains.md.requests import EngineSetup

#: Stands for a cut-off while the rest of the settings is looked at, which the protocol or the family gives one.
ANY_CUTOFF = 100.0
#: What a file of settings holds.
SETTINGS = "electronic settings"


def quantumespresso_choices(setup: EngineSetup) -> dict[str, Any]:
    """Return what ``ion.md.quantumespresso`` takes beside its code, from the options of the command line.

    :raises ValueError: if the pseudopotentials are not there or cannot be used.
    """
    namelists = read_yaml(setup.settings, SETTINGS) if setup.settings is not None else {}
    system = _system_of(namelists)
    has_cutoff = setup.ecutwfc_Ry is not None or "ecutwfc" in system
    choices = {
        "pseudo_family": pseudo_family(setup.pseudos, has_cutoff, system),
        "ecutwfc_Ry": setup.ecutwfc_Ry,
        "ecutrho_Ry": setup.ecutrho_Ry,
        "namelists": namelists or None,
        "kpoints": list(setup.kpoints) if setup.kpoints else None,
        "shift_kpoints": True if setup.shift_kpoints else None,
        "parallelization": {"npool": setup.pools} if setup.pools else None,
    }
    return {name: value for name, value in choices.items() if value is not None}


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
        recommends = hasattr(family, "get_cutoff_stringencies") and family.get_cutoff_stringencies()
        if not has_cutoff and not recommends:
            _refuse_silent({upf.filename: upf.get_content() for upf in family.nodes})
        return given[0]
    files = sorted(path for path in paths[0].iterdir() if path.suffix.lower() == ".upf") if paths[0].is_dir() else paths
    missing = [str(path) for path in files if not path.is_file()]
    if missing or not files:
        raise ValueError(f"no such pseudopotential: {', '.join(missing) or paths[0]}")
    by_element = _one_each(files)
    if not has_functional:
        headers = {name: read_upf_header(path.read_text(errors="replace")) for name, path in by_element.items()}
        common_functional({name: header.functional for name, header in headers.items()})
    if not has_cutoff:
        _refuse_silent({path.name: path.read_text(errors="replace") for path in files})
    return _family_of_files(files)


def _refuse_silent(texts: Mapping[str, str]) -> None:
    """Refuse files that suggest no cut-off, where the user gives none.

    :raises ValueError: naming them.
    """
    silent = sorted(name for name, text in texts.items() if read_upf_header(text).ecutwfc_Ry is None)
    if silent:
        names = ", ".join(silent[:5]) + (f" and {len(silent) - 5} more" if len(silent) > 5 else "")
        verb = "suggests" if len(silent) == 1 else "suggest"
        raise ValueError(f"{names} {verb} no cut-offs: give --ecutwfc-Ry")


def family_warnings(choices: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each pseudopotential that suggests higher cut-offs than an engine was given.

    :param choices: as :func:`quantumespresso_choices` returns them.
    """
    system = _system_of(choices.get("namelists") or {})
    wave = system.get("ecutwfc", choices.get("ecutwfc_Ry"))
    if wave is None:
        return []
    family: Any = orm.load_group(choices["pseudo_family"])
    pseudos = {upf.element: upf for upf in family.nodes}
    density = system.get("ecutrho", choices.get("ecutrho_Ry"))
    return cutoff_warnings((wave,) if density is None else (wave, density), upf_hints(pseudos))


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

    :raises ValueError: for a file that is not a UPF file, or two of one element.
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
