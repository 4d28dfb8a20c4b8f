"""Text of a file from its bytes: limits, compression, encodings, line ends, signs."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path

from aiida_ion.units import BYTES_PER_MB

#: Maximum size of a file with one crystal.
MAX_BYTES = 50_000_000
#: Byte-order marks -> encoding, longer ones first.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Characters of word processors that replace signs or spaces; a lost minus would move an atom.
AS_ASCII = str.maketrans(
    {"\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " "}
    | {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\ufeff": ""}
)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked where its name ends in ``.gz``.

    :raises ValueError: if it is absent, empty, damaged or larger than :data:`MAX_BYTES`.
    """
    if not path.is_file():
        raise ValueError(f"{path.name}: no such file")
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name}: cannot be read ({' '.join(str(error).split())[:100]})") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path.name}: larger than {MAX_BYTES / BYTES_PER_MB:.0f} MB; give a file with one crystal")
    if not content.strip():
        raise ValueError(f"{path.name}: the file is empty")
    return content


def decode(content: bytes) -> tuple[str, list[str]]:
    """Return text with plain line ends, and assumptions on its encoding.

    :raises ValueError: if it is not text.
    """
    notes = []
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), None)
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding is not None:
            raise ValueError(f"its first bytes indicate {encoding}, but it is not") from None
        text = content.decode("latin-1")
        notes.append("the text is not UTF-8 and was read as Latin-1")
    if any(ord(letter) < 32 and letter not in "\t\n\r\f\v\x1a" for letter in text):
        raise ValueError("it is not a text file")
    plain = text.translate(AS_ASCII).replace("\x1a", "")
    if any(sign in text for sign in ("\u2212", "\u2010", "\u2011", "\u2013")):
        notes.append("minus signs that are not ASCII were read as minus signs")
    return "\n".join(plain.splitlines()) + "\n", notes
