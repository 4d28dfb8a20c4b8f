"""Complete elements of ``vasprun.xml``, repaired where VASP writes invalid XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

Element = ElementTree.Element

#: Bytes read at a time.
CHUNK_BYTES = 1 << 20
#: Beginning of another document.
_BEGIN = re.compile(r"<\?xml|<modeling[\s>]")
#: Control characters that are invalid in XML.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: An ampersand that begins no entity.
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
#: The only line into which VASP copies the user's text unescaped.
_SYSTEM = re.compile(r"""(<i[^<>]*name=["']SYSTEM["'][^<>]*>)(.*)(</i>)""")
_SUSPECT = re.compile(r"""[\x00-\x08\x0b\x0c\x0e-\x1f&]|name=["']SYSTEM["']""")


@dataclass
class Document:
    """One document of a file, fed in chunks.

    :param first_line: line of the file at which it begins, from one.
    :param repaired: what was repaired to make it valid XML.
    :param broken: where and why the XML is invalid before the end of the document, else empty.
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
        """Feed complete lines; yield the elements that end in them."""
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
                self.repaired.append(f"{where} contains control characters")
            escaped = _SYSTEM.sub(_escaped, _AMPERSAND.sub("&amp;", printable))
            if escaped != printable:
                self.repaired.append(f"{where} contains & or < that VASP did not escape")
            lines[number] = escaped
        return "\n".join(lines)


def _escaped(match: re.Match[str]) -> str:
    return match[1] + match[2].replace("<", "&lt;") + match[3]


def documents(path: Path) -> Iterator[tuple[Document, Iterator[Element]]]:
    """Yield the documents of a file, each with the elements that ended, once for every chunk read.

    Bytes are decoded as Latin-1, which VASP declares, and in which every byte is valid.
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
