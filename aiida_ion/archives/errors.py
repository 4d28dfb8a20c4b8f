"""The error of this package, and untrusted text made safe to print."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib

MAX_SHOWN = 60
#: Exceptions of zipfile, zlib, json and NumPy for invalid bytes.
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
    """A file that is not an archive, or cannot be opened; the message is one sentence."""


def shown(text: object) -> str:
    """Return text of an archive for a message: short, on one line, without control codes."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return plain if len(plain) <= MAX_SHOWN else plain[: MAX_SHOWN - 3] + "..."
