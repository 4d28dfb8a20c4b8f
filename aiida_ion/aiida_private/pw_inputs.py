"""Input of pw.x as aiida-quantumespresso writes it, written for its version 5.1."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from aiida import orm


def pw_input_text(
    plugin: Any,
    namelists: Mapping[str, Any],
    settings: Mapping[str, Any],
    pseudos: Mapping[str, Any],
    structure: orm.StructureData,
    kpoints: orm.KpointsData,
) -> tuple[str, list[tuple[str, str, str]]]:
    """Return the text of an input file, and the pseudopotentials to copy: uuid, name in the repository, path.

    :param plugin: the job class ``quantumespresso.pw``.
    :param namelists: the namelists of pw.x; the plugin gets a copy, because it adds to them.
    :param settings: what the plugin calls `settings`.
    :param pseudos: pseudopotential of each kind of the structure.
    """
    text, copies = plugin._generate_pwcp_inputdata(
        orm.Dict(deepcopy(dict(namelists))), dict(settings), pseudos, structure, kpoints
    )
    return str(text), list(copies)
