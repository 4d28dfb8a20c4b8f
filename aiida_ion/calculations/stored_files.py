"""Files that the database keeps once, however often they are used."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiida import orm


def store_file(path: Path) -> orm.SinglefileData:
    """Return a file as a stored node with its sha256; the existing node if the file is known.

    :raises ValueError: if the file does not exist.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    filters = {"attributes.sha256": digest, "attributes.filename": path.name}
    stored = orm.QueryBuilder().append(orm.SinglefileData, filters=filters).first()
    if stored is not None:
        result: orm.SinglefileData = stored[0]
        return result
    node = orm.SinglefileData(path.absolute())
    node.base.attributes.set("sha256", digest)
    node.label = path.name
    node.store()
    return node
