"""Remote folders."""

from __future__ import annotations

from typing import Any

from aiida import orm


def remove_folder(folder: orm.RemoteData, transport: Any) -> None:
    """Remove what is in a remote folder, and mark its node as cleaned.

    :param transport: an open connection to its computer.
    :raises OSError: if it cannot be removed.
    """
    folder._clean(transport)
