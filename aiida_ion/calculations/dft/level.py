"""The fingerprint of the level of theory of a DFT job, from its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.dft.fingerprint import by_element, list_facts, mesh_facts, pw_level, vasp_level
from aiida_ion.dft.pw.input import normal_namelists
from aiida_ion.dft.pw.upf import dft_name, read_upf_header
from aiida_ion.dft.vasp.functional import functional_name
from aiida_ion.fingerprints import fingerprint


def pw_fingerprint(inputs: Any) -> dict[str, Any]:
    """Return the fingerprint of a job of pw.x and its hash, for its output `versions`."""
    system = normal_namelists(inputs.namelists.get_dict())["SYSTEM"]
    kinds = used_kinds(inputs.structure)
    texts = {kind: inputs.pseudos[kind].get_content() for kind in kinds}
    made = {kind: read_upf_header(text).functional for kind, text in texts.items()}
    hashes = {kind: hashlib.sha256(text.encode()).hexdigest() for kind, text in texts.items()}
    facts = pw_level(dft_name(system, made), system, by_element(hashes, kinds), k_facts(inputs))
    return fingerprint(facts)


def vasp_fingerprint(inputs: Any) -> dict[str, Any]:
    """Return the fingerprint of a job of VASP and its hash, for its output `versions`."""
    tags, kinds = inputs.incar.get_dict(), used_kinds(inputs.structure)
    name = functional_name(tags, [str(inputs.potential[kind].title) for kind in kinds])
    hashes = {kind: str(inputs.potential[kind].sha512) for kind in kinds}
    return fingerprint(vasp_level(name, tags, by_element(hashes, kinds), k_facts(inputs)))


def used_kinds(structure: orm.StructureData) -> dict[str, str]:
    """Return the element of each kind of a structure."""
    return {kind.name: str(kind.symbols[0]) for kind in structure.kinds}


def k_facts(inputs: Any) -> Mapping[str, Any]:
    """Return what the k-points of a job are."""
    try:
        mesh, offset = inputs.kpoints.get_kpoints_mesh()
    except AttributeError:
        return list_facts(inputs.kpoints.get_kpoints())
    return mesh_facts(inputs.structure.cell, mesh, offset)
