"""Files of weights are told apart without loading them, and what loading would run is named."""

from __future__ import annotations

import collections
import io
import json
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aiida_ion.weight_files import HARMLESS, WeightFile, look_at, look_into


class Caller:
    """A pickle of it calls a function with an argument when it is read."""

    def __init__(self, function: Callable[..., object], argument: str) -> None:
        self.function, self.argument = function, argument

    def __reduce__(self) -> tuple[object, ...]:
        return self.function, (self.argument,)


def look(content: bytes, any_format: bool = False) -> WeightFile:
    return look_into(io.BytesIO(content), any_format)


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in members.items():
            made.writestr(f"model/{name.replace('__', '/').replace('_DOT_', '.')}", content)
    return stream.getvalue()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("function", [os.system, eval, io.open])
def test_whatever_the_protocol_what_is_imported_is_named(protocol: int, function: Callable[..., object]) -> None:
    content = pickle.dumps([1.0, "text", Caller(function, "x")], protocol=protocol)
    for entry in (look(content), look(archive(data_DOT_pkl=content)), look(content, any_format=True)):
        assert entry.runs_code and entry.fault is None
        assert any(name.endswith(f".{function.__name__}") for name in entry.imports), entry
        assert function.__name__ in entry.danger()


def test_an_import_hidden_behind_others() -> None:
    """A module named once and taken from the memo, and one after many harmless things."""
    content = pickle.dumps([collections.OrderedDict(a=1), np.arange(3), Caller(os.system, "x"), Caller(os.system, "y")])
    assert [name.rpartition(".")[2] for name in look(content).imports] == ["system"]


@pytest.mark.parametrize(
    "content",
    [
        # A module from the stack that is not text, as far as it can be followed.
        b"\x80\x04\x8c\x02os\x8c\x06system\x8c\x0bcollections0\x93\x8c\x01x\x85R.",
        # An import after a whole pickle: torch reads several, one after the other.
        pickle.dumps({"a": 1}) + pickle.dumps(Caller(os.system, "x")),
        # One that breaks off after the call was made.
        pickle.dumps(Caller(os.system, "x"))[:-1] + b"\xff",
    ],
)
def test_tricks_are_seen(content: bytes) -> None:
    assert look(content).runs_code


@pytest.mark.parametrize("protocol", range(5))
def test_numbers_alone_run_nothing(protocol: int) -> None:
    weights = {"layer.weight": np.ones((3, 2), dtype="f4"), "config": {"cutoff": 5.0, "elements": ["Li", "O"]}}
    content = pickle.dumps(collections.OrderedDict(weights), protocol=protocol)
    assert not look(content).runs_code, look(content)
    assert look(archive(data_DOT_pkl=content)) == WeightFile("torch")


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "builtins.getattr",
        "torch.load",
        "torch.hub.load",
        "torch.storage._load_from_bytes",
        "torch.jit._pickle.build_intlist",
        "numpy.load",
        "numpy.core.multiarray.fromfile",
        "collections.OrderedDict.__init__",
        "mace.modules.models.MACE",
        "unknown",
    ],
)
def test_what_is_not_harmless(name: str) -> None:
    assert HARMLESS.fullmatch(name) is None


def test_programs_in_archives() -> None:
    harmless = pickle.dumps({})
    assert look(archive(constants_DOT_pkl=harmless, code__main_DOT_py=b"x")).kind == "torchscript"
    assert look(archive(data_DOT_pkl=harmless, data__model_DOT_so=b"x")).kind == "compiled"
    assert look(archive(data_DOT_pkl=harmless, pack__run_DOT_py=b"x")).kind == "compiled"
    assert all(
        look(archive(**{name: b"x"})).runs_code for name in ("code__a_DOT_txt", "model_DOT_so", "pack__run_DOT_py")
    )


def test_an_old_tar_archive_of_torch() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        made.addfile(tarfile.TarInfo("pickle"), io.BytesIO())
    assert look(stream.getvalue()).kind == "tar" and look(stream.getvalue()).runs_code


def test_safetensors_are_whole_or_refused() -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    whole = len(header).to_bytes(8, "little") + header + bytes(8)
    assert look(whole) == WeightFile("safetensors")
    assert "cut short" in str(look(whole[:-1]).fault)
    assert "cut short" in str(look(whole[:20]).fault)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (bytes(100), "zeros"),
        (b"  <!doctype HTML>\n<html>", "web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs"),
        (archive(data_DOT_pkl=pickle.dumps({}))[:-30], "cut short"),
        (pickle.dumps({"a": list(range(1000))})[:50], "cut short"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"commands of a text file\nthat is not a pickle\n", "not a weight file"),
        (np.random.default_rng(1).bytes(5000), "not a weight file"),
    ],
)
def test_what_cannot_be_weights(content: bytes, words: str) -> None:
    result = look(content)
    assert words in str(result.fault) and not result.runs_code


def test_files_that_are_none(tmp_path: Path) -> None:
    assert look_at(tmp_path).fault == "is a folder, not a weight file"
    assert look_at(tmp_path / "absent").fault == "does not exist"


def test_other_formats_may_be_given_where_a_class_reads_them_itself() -> None:
    assert look(b"commands of a text file\nthat is not a pickle\n", any_format=True) == WeightFile("unknown")
