"""Data blocks of CIF text: items and loops by lower-case name, uninterpreted.

A separate reader of the syntax (Hall, Allen and Brown, Acta Cryst. A47, 655 (1991)), because pymatgen's drops non-ASCII
characters (such as a minus), lets a later block of the same name win, and is strict about the case of names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

#: Values that state nothing.
UNKNOWN, INAPPLICABLE = "?", "."
TOKEN = re.compile(r"""'(?P<single>.*?)'(?=\s|$)|"(?P<double>.*?)"(?=\s|$)|(?P<comment>\#.*)|(?P<bare>\S+)""")
#: Maximum number of values: each uses some hundred bytes of memory.
MAX_TOKENS = 2_000_000
SITES = "_atom_site_fract_x"


@dataclass
class Block:
    """A data block: the values of each item, a list of one outside loops."""

    name: str
    items: dict[str, list[str]] = field(default_factory=dict)

    def column(self, *names: str) -> list[str] | None:
        """Return the values of the first of these items that is present."""
        return next((self.items[name] for name in names if name in self.items), None)

    def stated(self, *names: str) -> str | None:
        """Return the first value of these items that is not empty."""
        for name in names:
            for value in self.items.get(name, [])[:1]:
                if value.strip() not in ("", UNKNOWN, INAPPLICABLE):
                    return value.strip()
        return None


class Token(NamedTuple):
    """A word of the file: its text, whether it is a value, and its line."""

    text: str
    is_value: bool
    line: int


def read_blocks(text: str) -> list[Block]:
    """Return the data blocks of a CIF.

    :raises ValueError: naming the line where the text is not CIF.
    """
    blocks: list[Block] = []
    tokens = list(islice(_tokens(text), MAX_TOKENS + 1))
    if len(tokens) > MAX_TOKENS:
        raise ValueError(f"more than {MAX_TOKENS:,} values; give a file without measured intensities")
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        word = token.text.lower()
        if word.startswith("data_") and not token.is_value:
            blocks.append(Block(token.text[5:]))
        elif not blocks:
            raise ValueError(f"line {token.line}: {token.text[:30]!r} comes before the first data block (data_...)")
        elif token.is_value:
            raise ValueError(f"line {token.line}: the value {token.text[:30]!r} belongs to no item")
        elif word == "loop_":
            position = _read_loop(tokens, position, blocks[-1], token.line)
        elif word.startswith("_"):
            if position == len(tokens) or not tokens[position].is_value:
                raise ValueError(f"line {token.line}: {token.text} has no value")
            _add(blocks[-1], token, [tokens[position].text])
            position += 1
        elif word.startswith(("save_", "global_", "stop_")):
            raise ValueError(f"line {token.line}: {token.text} is for dictionaries, not for crystals")
    return blocks


def _read_loop(tokens: list[Token], position: int, block: Block, line: int) -> int:
    names = []
    while position < len(tokens) and tokens[position].text.startswith("_") and not tokens[position].is_value:
        names.append(tokens[position])
        position += 1
    values = []
    while position < len(tokens) and tokens[position].is_value:
        values.append(tokens[position].text)
        position += 1
    if not names:
        raise ValueError(f"line {line}: a loop without items")
    if len(values) % len(names):
        raise ValueError(
            f"line {line}: a loop of {len(names)} items ({names[0].text}, ...) has {len(values)} values, which is "
            "not a whole number of rows"
        )
    for column, name in enumerate(names):
        _add(block, name, values[column :: len(names)])
    return position


def _add(block: Block, name: Token, values: list[str]) -> None:
    key = name.text.lower().replace(".", "_")  # the dots of newer dictionaries
    if key in block.items and block.items[key] != values:
        raise ValueError(f"line {name.line}: {name.text} appears twice in data_{block.name}, with different values")
    block.items[key] = values


def _tokens(text: str) -> Iterator[Token]:
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.startswith(";"):
            start, parts = number, [line[1:]]
            while number < len(lines) and not lines[number].startswith(";"):
                parts.append(lines[number])
                number += 1
            if number == len(lines):
                raise ValueError(f"line {start}: the text that starts with ';' has no end")
            yield Token("\n".join(parts).strip(), True, start)
            line = lines[number][1:]
            number += 1
        for match in TOKEN.finditer(line):
            if match["comment"] is not None:
                break
            quoted = match["single"] if match["single"] is not None else match["double"]
            if quoted is not None:
                yield Token(quoted, True, number)
                continue
            word = match["bare"]
            keyword = word.startswith("_") or re.match(r"(data_|save_)|(loop_|global_|stop_)$", word, re.IGNORECASE)
            yield Token(word, not keyword, number)
