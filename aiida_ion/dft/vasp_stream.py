"""``vasprun.xml`` as elements that were written to their end: repaired where VASP writes invalid XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

Element = ElementTree.Element

#: How much is read at a time, bytes.
CHUNK_BYTES = 1 << 20
#: Where another document begins.
_BEGIN = re.compile(r"<\?xml|<modeling[\s>]")
#: Control characters that XML does not have.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: An ampersand that begins no entity.
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
#: The one line into which VASP copies a text of the user's as it is.
_SYSTEM = re.compile(r"""(<i[^<>]*name=["']SYSTEM["'][^<>]*>)(.*)(</i>)""")
_SUSPECT = re.compile(r"""[\x00-\x08\x0b\x0c\x0e-\x1f&]|name=["']SYSTEM["']""")


@dataclass
class Document:
    """One document of a file, fed piece by piece.

    :param first_line: of the file, from one.
    :param repaired: what was not XML and is read nonetheless.
    :param broken: where and why the XML ends before the document does, empty when it does not.
    :param rooted: whether its root element began.
    """

    first_line: int
    repaired: list[str] = field(default_factory=list)
    broken: str = ""
    rooted: bool = False

    def __post_init__(self) -> None:
        self._parser: ElementTree.XMLPullParser[Element] = ElementTree.XMLPullParser(events=("end",))
        self._line = self.first_line

    def feed(self, text: str) -> Iterator[Element]:
        """Take whole lines; yield the elements that end in them."""
        if self.broken:
            return
        n_lines = text.count("\n")
        self._parser.feed(self._mend(text) if _SUSPECT.search(text) else text)
        self._line += n_lines
        try:
            for event in self._parser.read_events():
                yield cast("tuple[str, Element]", event)[1]
        except ElementTree.ParseError as error:
            line = self.first_line + error.position[0] - 1
            self.broken = f"it is not XML from line {line} on ({str(error).partition(':')[0]})"

    def _mend(self, text: str) -> str:
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if not _SUSPECT.search(line):
                continue
            where, printable = f"line {self._line + number}", _CONTROL.sub("?", line)
            if printable != line:
                self.repaired.append(f"{where} holds control characters")
            escaped = _SYSTEM.sub(_escaped, _AMPERSAND.sub("&amp;", printable))
            if escaped != printable:
                self.repaired.append(f"{where} holds & or < that VASP wrote as they are")
            lines[number] = escaped
        return "\n".join(lines)


def _escaped(match: re.Match[str]) -> str:
    return match[1] + match[2].replace("<", "&lt;") + match[3]


def documents(path: Path) -> Iterator[tuple[Document, Iterator[Element]]]:
    """Yield the documents of a file, each with elements that ended, once for every piece that is read.

    Bytes are taken for Latin-1, which VASP declares, and in which no byte is an error.
    """
    document: Document | None = None
    line = 1
    with path.open("rb") as stream:
        while chunk := stream.readlines(CHUNK_BYTES):
            text, done = b"".join(chunk).decode("latin-1"), 0
            for begin in _BEGIN.finditer(text):
                if document is None or document.rooted or begin[0] == "<?xml":
                    if document is not None:
                        yield document, document.feed(text[done : begin.start()])
                    done = begin.start()
                    document = Document(line + text.count("\n", 0, done))
                document.rooted = document.rooted or begin[0] != "<?xml"
            if document is not None:
                yield document, document.feed(text[done:])
            line += text.count("\n")
