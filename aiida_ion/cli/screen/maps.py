"""What a command that keeps maps says of them: where each is, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEEP_MAP_HELP = "Keep the map of each crystal as an array, for figures and sites; 4 bytes a point."
#: Start of the caveat of a map that is too large.
NOT_KEPT = "the map was not kept"


def map_lines(results: Mapping[str, Any]) -> list[str]:
    """Return a line for each map, with its PK, and for each that was too large; nothing for refused crystals.

    :param results: name -> ``Dict`` of ``ion.bvse`` or ``ion.pes``.
    """
    lines = []
    for name, node in results.items():
        content = node.get_dict()
        job = node.creator
        maps = job.outputs.maps if job is not None and "maps" in job.outputs else {}
        label = str(content.get("label"))
        if label in maps:
            lines.append(f"map of {name}: {maps[label].pk}")
        lines += [f"{name}: {caveat}" for caveat in content.get("caveats") or [] if str(caveat).startswith(NOT_KEPT)]
    return lines
