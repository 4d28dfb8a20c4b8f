"""Weight files inspected without loading them: what they are, and what code loading them would run.

A pickle is a program that can import and call anything, and loading it runs it. Here its instructions are listed and
never executed. Imports only the standard library: the runners get a copy.
"""

from __future__ import annotations

import io
import json
import pickletools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

#: Imports of a pickle of tensors and arrays: those that ``torch.load(weights_only=True)`` allows, plus NumPy arrays,
#: which hold only numbers as well.
HARMLESS = re.compile(
    r"collections\.(OrderedDict|Counter)|_codecs\.encode|(builtins|__builtin__)\.(set|bytearray|complex)"
    r"|torch\.(Size|Tensor|device|serialization\._get_layout|_tensor\._rebuild_from_type_v2)"
    r"|torch\.nn\.parameter\.(Parameter|UninitializedParameter|Buffer)|torch\._utils\._rebuild_\w+"
    r"|torch\.(cuda\.)?\w+Storage|torch\.storage\.(Typed|Untyped)Storage"
    r"|torch\.(bool|half|float|double|bfloat16|u?int(8|16|32|64)|long|short|float(16|32|64)|complex(32|64|128))"
    r"|numpy\.(ndarray|dtype|dtypes\.\w+DType)|numpy\._?core\.multiarray\.(_reconstruct|scalar)"
)
HEAD_BYTES = 4096
#: Largest plausible safetensors header, bytes.
MAX_HEADER_BYTES = 100_000_000
COMPILED = (".so", ".o", ".cubin", ".dll", ".dylib", ".ptx")
UNKNOWN = "unknown"
NEWEST_PROTOCOL = 5
#: Instructions that push a string on the stack.
TEXTS = ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
TRUNCATED = "is cut short: copy or download it again"


@dataclass(frozen=True)
class WeightFile:
    """A weight file.

    :param kind: ``safetensors``, ``torch``, ``pickle``, ``torchscript``, ``compiled``, ``tar``, ``zip`` or ``unknown``.
    :param fault: why it cannot hold weights, as text to follow its name; None where it can.
    :param imports: what loading it would import beyond tensors and arrays, sorted.
    """

    kind: str
    fault: str | None = None
    imports: tuple[str, ...] = ()

    @property
    def runs_code(self) -> bool:
        """Whether loading it would run code that the file contains or names."""
        return bool(self.imports) or self.kind in ("torchscript", "compiled", "tar")

    def danger(self) -> str:
        """Return what it would do when it is loaded, as text to follow its name."""
        if self.kind == "torchscript":
            return "is a TorchScript program, which runs when it is used"
        if self.kind == "compiled":
            return "holds compiled or Python code, which runs when it is loaded"
        if self.kind == "tar":
            return "is an old torch tar archive, which cannot be loaded without running the code it names"
        shown = ", ".join(self.imports[:5]) + (f" and {len(self.imports) - 5} more" if len(self.imports) > 5 else "")
        return f"is a pickle that imports {shown} when it is loaded, and so can run any code"


def look_at(path: Path, any_format: bool = False) -> WeightFile:
    """Inspect a file without loading it.

    :param path: the file.
    :param any_format: whether formats other than torch's and safetensors may hold weights.
    """
    if path.is_dir():
        return WeightFile("unknown", "is a folder, not a weight file")
    if not path.is_file():
        return WeightFile("unknown", "does not exist")
    with path.open("rb") as stream:
        return look_into(stream, any_format)


def look_into(stream: IO[bytes], any_format: bool = False) -> WeightFile:
    """Inspect an open, seekable file; see :func:`look_at`."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    fault = _fault_of_head(head)
    if fault is not None:
        return WeightFile("unknown", fault)
    if head.startswith(b"PK\x03\x04"):
        return _zip(stream)
    if head[257:262] == b"ustar":
        return WeightFile("tar")
    weights = _safetensors(stream, head, size) or _pickle(stream, head)
    if weights is not None:
        return weights
    nothing = "is not a weight file: it is neither a torch file nor safetensors"
    return WeightFile("unknown", None if any_format else nothing)


def _fault_of_head(head: bytes) -> str | None:
    """Return why a file with this beginning cannot hold weights in any format, or None."""
    text = head[:1024].lstrip().lower()
    if not head.strip(b"\0"):
        return "is empty" if not head else "begins with nothing but zeros: copy or download it again"
    if text.startswith((b"<!doctype html", b"<html")) or (text.startswith(b"<?xml") and b"error" in text):
        return "is a web page, not the file behind it: download the file itself"
    if text.startswith(b"version https://git-lfs"):
        return "is a pointer of git-lfs, not the file behind it: run 'git lfs pull' where it comes from"
    if head.startswith(b"\x1f\x8b"):
        return "is compressed with gzip: unpack it first"
    return None


def _safetensors(stream: IO[bytes], head: bytes, size: int) -> WeightFile | None:
    """Recognise safetensors: the length of a JSON header, the header, then the numbers."""
    length = int.from_bytes(head[:8], "little")
    if len(head) < 10 or head[8:9] != b"{" or not 2 <= length <= MAX_HEADER_BYTES:
        return None
    if size < 8 + length:
        return WeightFile("safetensors", TRUNCATED)
    stream.seek(8)
    try:
        header = json.loads(stream.read(length))
        ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None
    return WeightFile("safetensors", TRUNCATED if max(ends, default=0) > size - 8 - length else None)


def _pickle(stream: IO[bytes], head: bytes) -> WeightFile | None:
    """Recognise consecutive pickles, which torch wrote before it used zip archives."""
    stream.seek(0)
    names: set[str] = set()
    whole = 0
    while _add_imported(stream, names):  # the numbers after the pickles are not a pickle
        whole += 1
    # Text may look like the start of a protocol-0 pickle, but hardly like a whole one.
    if not (_is_marked(head) or (whole and names)):
        return None
    harmful = _harmful(names)
    return WeightFile("pickle", None if whole or harmful else TRUNCATED, harmful)


def _is_marked(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0x80 and head[1] <= NEWEST_PROTOCOL


def _harmful(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if not HARMLESS.fullmatch(name)))


def _zip(stream: IO[bytes]) -> WeightFile:
    """Inspect a zip archive: torch's own, TorchScript, a code package, or something else."""
    try:
        with zipfile.ZipFile(stream) as archive:
            members = [PurePosixPath(name) for name in archive.namelist()]
            pickles = [str(name) for name in members if name.suffix in (".pkl", ".pickle")]
            if any(name.suffix in COMPILED for name in members):
                return WeightFile("compiled")
            if any(name.name == "constants.pkl" or "code" in name.parts[:-1] for name in members):
                return WeightFile("torchscript")
            if any(name.suffix in (".py", ".pyc") for name in members):
                return WeightFile("compiled")
            names: set[str] = set()
            for member in pickles:
                with archive.open(member) as content:
                    _add_imported(content, names)
    except (zipfile.BadZipFile, OSError, EOFError, KeyError, RuntimeError, NotImplementedError):
        return WeightFile("zip", TRUNCATED)
    return WeightFile("torch" if pickles else "zip", None, _harmful(names))


def _add_imported(stream: IO[bytes], names: set[str]) -> bool:
    """Add the imports of one pickle, as ``module.name``, as far as it can be read; return whether it was complete.

    Module and name of a ``STACK_GLOBAL`` are read from the stack, of which only strings are followed; anything else
    makes the import ``unknown``. Afterwards the stream is positioned behind the pickle.
    """
    recent: list[str] = []
    memo: dict[int, str] = {}
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            imported = _import_of(opcode.name, argument, recent)
            if imported is not None:
                names.add(imported)
                recent.clear()
            elif opcode.name == "MEMOIZE":
                memo[len(memo)] = recent[-1] if recent else UNKNOWN
            elif opcode.name in ("PUT", "BINPUT", "LONG_BINPUT"):
                memo[int(str(argument))] = recent[-1] if recent else UNKNOWN
            elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
                recent.append(memo.get(int(str(argument)), UNKNOWN))
            elif opcode.name not in ("PROTO", "FRAME", "MARK"):
                recent.append(str(argument) if opcode.name in TEXTS else UNKNOWN)
    except Exception:  # pickletools can raise any exception; loading would have run the part before it
        return False
    return True


def _import_of(opcode: str, argument: Any, recent: list[str]) -> str | None:
    """Return what an instruction imports, or None.

    :param recent: the strings last pushed on the stack.
    """
    if opcode in ("GLOBAL", "INST"):
        return str(argument).replace(" ", ".")
    if opcode == "STACK_GLOBAL":
        return ".".join(recent[-2:]) if len(recent) > 1 else UNKNOWN
    return f"extension {argument}" if opcode in ("EXT1", "EXT2", "EXT4") else None
