"""The one error of this room, and text of strangers made fit to print."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib

MAX_SHOWN = 60
#: As which zipfile, zlib, json and NumPy report bytes that are not what they should be.
UNREADABLE: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class ArchiveError(ValueError):
    """A file that is not an archive, or none that can be opened; the message is one sentence."""


def shown(text: object) -> str:
    """Return text of an archive for a message: short, on one line, without codes that a terminal obeys."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return plain if len(plain) <= MAX_SHOWN else plain[: MAX_SHOWN - 3] + "..."
