"""Files of a node: list, content, and inputs or outputs of a job as a zip in memory."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.queries.details import node_of
from aiida_ion.units import BYTES_PER_MIB

#: Maximum number of files listed for a node.
MAX_FILES = 1000
#: Maximum size of a file that is read, and of all files in a zip, bytes.
MAX_FILE_BYTES = 64 * BYTES_PER_MIB
MAX_ZIP_BYTES = 128 * BYTES_PER_MIB
#: Maximum number of nodes in a zip.
MAX_NODES = 200
SIDES = ("inputs", "outputs")
_CHUNK = 2**20


@dataclass(frozen=True)
class StoredFile:
    """A file of a node: its path there, and the node."""

    path: str
    uuid: str


def files_of(uuid: str) -> list[StoredFile]:
    """Return the files of a node, including the retrieved files of a job, by path.

    :raises ValueError: if there is no such node.
    """
    node = node_of(uuid)
    stored = [StoredFile(path, node.uuid) for path in _paths(node)]
    if isinstance(node, orm.CalcJobNode):
        links = node.base.links.get_outgoing(link_type=LinkType.CREATE, link_label_filter="retrieved").all()
        stored += [StoredFile(path, link.node.uuid) for link in links for path in _paths(link.node)]
    return stored[:MAX_FILES]


def read_file(uuid: str, path: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of a file of a node.

    :raises ValueError: if there is no such file, or it is larger than `max_bytes`.
    """
    node = node_of(uuid)
    if path not in _paths(node):
        raise ValueError(f"the node {node.pk} has no file {path[:200]!r}")
    content = _read(node, path, max_bytes)
    if content is None:
        raise ValueError(
            f"{path[:200]!r} is larger than {max_bytes} bytes: get it with `verdi node repo cat {node.pk}`"
        )
    return content


def zip_of(uuid: str, side: str, max_bytes: int = MAX_ZIP_BYTES) -> bytes:
    """Return the inputs or the outputs of a process as a zip; of a data node, the node itself.

    Each node has a folder under the label of its link, with its files and its attributes as ``attributes.json``; a job
    also has its input files, under ``written``. Files that do not fit are named in ``LEFT_OUT.txt``.

    :param side: ``inputs`` or ``outputs``.
    :param max_bytes: total size of all files before compression.
    :raises ValueError: if there is no such node or side.
    """
    if side not in SIDES:
        raise ValueError(f"the side must be one of {', '.join(SIDES)}, not {side!r}")
    left_out: list[str] = []
    room = max_bytes
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        taken: set[str] = set()
        for folder, node in _members(node_of(uuid), side):
            for path in ["attributes.json", *_paths(node)]:
                name = _unused(safe_name(f"{folder}/{path}"), taken)
                content = _attributes(node) if path == "attributes.json" else _read(node, path, room)
                if content is None or len(content) > room:
                    left_out.append(f"{folder}/{path} of node {node.uuid}")
                    continue
                room -= len(content)
                archive.writestr(name, content)
        if left_out:
            head = f"Left out because of the limit of {max_bytes} bytes:"
            archive.writestr("LEFT_OUT.txt", "\n".join([head, *left_out]) + "\n")
    return buffer.getvalue()


def safe_name(path: str) -> str:
    """Return a path that is safe to unpack on every system.

    No parent folders, no root, no drive, and only letters, digits and ``._+=-@`` in names.
    """
    parts = [re.sub(r"[^\w.+=@-]", "_", part, flags=re.ASCII) for part in re.split(r"[/\\]", path)]
    kept = [part[:120] for part in parts if part.strip(".")]
    return "/".join(kept[:12]) or "file"


def _unused(name: str, taken: set[str]) -> str:
    """Return the name, with a number if it is taken, ignoring case as some systems do."""
    unused, number = name, 1
    while unused.lower() in taken:
        number += 1
        unused = f"{name}.{number}"
    taken.add(unused.lower())
    return unused


def _members(node: Any, side: str) -> Iterator[tuple[str, Any]]:
    """Go through the nodes of a zip with the name of the folder of each."""
    if not isinstance(node, orm.ProcessNode):
        yield "node", node
        return
    if side == "inputs":
        yield "written", node
        links = node.base.links.get_incoming(link_type=(LinkType.INPUT_CALC, LinkType.INPUT_WORK))
    else:
        links = node.base.links.get_outgoing(link_type=(LinkType.CREATE, LinkType.RETURN))
    for link in links.all()[:MAX_NODES]:
        yield link.link_label.replace("__", "/"), link.node


def _attributes(node: orm.Node) -> bytes:
    attributes = {key: value for key, value in node.base.attributes.all.items() if key != "checkpoints"}
    facts = {"uuid": node.uuid, "node_type": node.node_type, "label": node.label, "attributes": attributes}
    return json.dumps(facts, indent=1, default=str).encode()


def _paths(node: orm.Node) -> list[str]:
    """Return the paths of the files of a node, sorted."""
    paths: list[str] = []
    for folder, _, names in node.base.repository.walk():
        paths += [(folder / name).as_posix() for name in names]
        if len(paths) >= MAX_FILES:
            break
    return sorted(paths)[:MAX_FILES]


def _read(node: orm.Node, path: str, max_bytes: int) -> bytes | None:
    """Return the content of a file, ``None`` if it is larger than allowed; never more than that is in memory."""
    parts, size = [], 0
    with node.base.repository.open(path, "rb") as stream:
        while part := stream.read(_CHUNK):
            size += len(part)
            if size > max_bytes:
                return None
            parts.append(part)
    return b"".join(parts)
