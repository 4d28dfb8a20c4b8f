"""From the options of the command line to a potential of LAMMPS and its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiida import orm

from aiida_ion.calculations.lammps.job import resolve_potential, validate_file
from aiida_ion.calculations.stored_files import store_file
from aiida_ion.lammps.commands import check_commands
from aiida_ion.lammps.pod.order import pod_command, read_species
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.settings.files import read_yaml
from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import Word


def read_potential(given: str) -> tuple[dict[str, Any], dict[str, orm.SinglefileData]]:
    """Return potential and files from the name of a published one, or from a YAML file with `commands`.

    :param given: a name, or the path of a file with `commands`, `charges`, `level_of_theory` and `files`, the latter
        relative to the file.
    :raises ValueError: if the file is not there or holds no mapping.
    """
    path = Path(given)
    if path.suffix not in (".yaml", ".yml"):
        return {"name": given}, {}
    content = read_yaml(path, "a potential: commands, level_of_theory, charges")
    names = [Path(name) for name in Many(item=Word(), may_be_empty=True).read(content.get("files", []), "files")]
    content = _with_species(content, [path.parent / name for name in names])
    load_potential(content | {"files": [name.name for name in names]})  # refused before any file of it is stored
    files = {f"file_{index:02d}": store_file(path.parent / name) for index, name in enumerate(names)}
    return content | ({"files": [name.name for name in names]} if names else {}), files


def _with_species(content: dict[str, Any], paths: list[Path]) -> dict[str, Any]:
    """Return a potential with the order of its elements, where its files have one: that of a POD parameter file.

    :raises ValueError: if the user states another order, or the file has none.
    """
    commands = content.get("commands")
    pod = pod_command(check_commands(commands)) if isinstance(commands, str) else None
    param = next((path for path in paths if pod is not None and path.name == pod.param and path.is_file()), None)
    if param is None:
        return content
    species = list(read_species(param.read_text(errors="replace")))
    if content.get("species") not in (None, species):
        raise ValueError(f"{param.name} has the species {' '.join(species)}: write that order, or leave species out")
    return content | {"species": species}


def trusted_files(potential: Mapping[str, Any], files: Mapping[str, orm.SinglefileData], trusts: bool) -> list[str]:
    """Return the hashes of the files that run code and that the user trusts, here or in the potential itself.

    :param potential: as the registry keeps it; nothing where each run names one.
    :param files: what its commands read.
    :param trusts: whether the user trusts them.
    :raises ValueError: for a file that LAMMPS cannot read, and for one that runs code and is not trusted.
    """
    if not potential:
        return []
    resolved = resolve_potential(potential)
    trusted = list(resolved.trusted_sha256)
    for node in files.values():
        with node.open(mode="rb") as stream:
            problem = validate_file(stream, node.filename, resolved)
            stream.seek(0)
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        if problem is None:
            continue
        trusting = replace(resolved, trusted_sha256=(*resolved.trusted_sha256, sha256))
        with node.open(mode="rb") as stream:
            still = validate_file(stream, node.filename, trusting)
        if still is not None or not trusts:
            raise ValueError(still or problem)
        trusted.append(sha256)
    return trusted
