"""Rules of settings: what is read, what is refused, and in which words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from aiida_ion.settings.elements import Element
from aiida_ion.settings.files import read_json, read_yaml
from aiida_ion.settings.lists import Many, Table
from aiida_ion.settings.rules import Json, Lines, Number, Rule, Word
from aiida_ion.settings.schema import Part, Settings, flag, number, rules_of, setting, summary, whole, word
from aiida_ion.settings.values import SettingsError

KELVIN = Number(least=1, most=10_000, unit="K")


@dataclass(frozen=True)
class Inner(Settings):
    what: ClassVar[str] = "inner setting"

    depth: int = whole(1, least=1, most=9)


@dataclass(frozen=True)
class Outer(Settings):
    what: ClassVar[str] = "outer setting"

    temperature_K: float = number(help="Temperature", least=1, most=10_000, unit="K")
    kind: str = word(("one", "two"), "one")
    seeds: list[int] = setting(Many(item=Number(least=0, whole=True), distinct=True), [1])
    inner: Inner = setting(Part(kind=Inner), {})
    on: bool = flag(False)
    limit: float | None = number(None, above=0)

    def check_together(self) -> None:
        if self.on and self.limit is None:
            raise SettingsError("on needs a limit")


@pytest.mark.parametrize(
    ("rule", "given", "read"),
    [
        (KELVIN, 800, 800.0),
        (KELVIN, np.float32(800), 800.0),
        (Number(whole=True), 1000.0, 1000),
        (Number(whole=True), np.int64(3), 3),
        (Number(optional=True), None, None),
        (Many(item=KELVIN), (300, 400), [300.0, 400.0]),
        (Many(item=Word(choices=("a",)), may_be_empty=True), [], []),
        (Table(key=Element(), item=Number()), {"Li": 1}, {"Li": 1.0}),
        (Word(may_be_empty=True), "", ""),
        (Lines(), "a\nb", "a\nb"),
        (Json(), {"a": [1, None]}, {"a": [1, None]}),
    ],
)
def test_values_are_read_in_their_own_type(rule: Rule, given: Any, read: Any) -> None:
    result = rule.read(given, "x")
    assert result == read
    assert type(result) is type(read)


@pytest.mark.parametrize(
    ("rule", "given", "words"),
    [
        (KELVIN, 0, "x must be a number from 1 to 10,000 K, got 0"),
        (KELVIN, math.nan, "got NaN"),
        (KELVIN, math.inf, "got Infinity"),
        (KELVIN, True, "got true"),
        (KELVIN, None, "got null"),
        (KELVIN, "800", 'got the text "800": write 800 without quotes'),
        (KELVIN, "5e2", "write 500.0 without quotes"),
        (KELVIN, 10**400, "got 1000"),
        (KELVIN, np.bool_(True), "x must be a number"),
        (Number(above=0, below=1), 1, "x must be a number above 0 and below 1, got 1"),
        (Number(above=0, optional=True), -1, "x must be a number above 0 or null, got -1"),
        (Number(whole=True, least=1), 1.5, "x must be a whole number at least 1, got 1.5"),
        (Many(item=KELVIN, distinct=True), [300, 300.0], "x must be a list of numbers from 1 to 10,000 K, each once"),
        (Many(item=KELVIN), [300, "400"], "write 400 without quotes"),
        (Many(item=KELVIN), "300", "x must be a list"),
        (Many(item=KELVIN), {"a": 1}, "x must be a list"),
        (Many(item=KELVIN), [], "got []"),
        (Many(item=Number(), most=2), [1, 2, 3], "x must be at most 2 values, got 3"),
        (Many(item=Number(whole=True), length=3), [1, 2], "x must be a list of 3 whole numbers, got [1, 2]"),
        (Table(key=Element(), item=Number()), {"Xx": 1}, "a name in x must be the symbol of an element, such as Li"),
        (Table(key=Element(), item=Number()), {"Li": "1"}, "x: Li must be a number"),
        (Word(choices=("a", "b")), "A", 'x must be one of a, b, got "A"'),
        (Word(choices=("a", "b")), ["a"], "x must be one of a, b"),
        (Word(), " ", "x must be a text of one line, not empty"),
        (Word(), "a\x07", r"got \"a\\u0007\""),
        (Word(), "x" * 300, "..."),
        (Lines(), "a\x00", "x must be a text"),
        (Json(), {"a": math.nan}, "x must be a JSON object"),
    ],
)
def test_what_is_refused_is_said(rule: Rule, given: Any, words: str) -> None:
    with pytest.raises(SettingsError) as error:
        rule.read(given, "x")
    assert words.replace(r"\"", '"').replace(r"\\", "\\") in str(error.value)
    assert len(str(error.value)) < 300


def test_the_command_line_and_files_are_judged_alike() -> None:
    assert KELVIN.read(KELVIN.parse(" 800 "), "x") == 800.0
    assert Many(item=Number(whole=True)).parse("1,2.0,x") == [1, 2.0, "x"]
    assert Table(key=Element(), item=Number()).parse("Li=1, N=-3") == {"Li": 1, "N": -3}
    for text in ("1_000", "0x10", "１"):
        assert KELVIN.parse(text) == text
    for text in ("Li", "Li=", "=1", "Li=1,Li=2"):
        with pytest.raises(SettingsError):
            Table(key=Element(), item=Number()).parse(text)


def test_classes_of_settings_check_themselves() -> None:
    made = Outer.from_dict({"temperature_K": 300, "seeds": (1, 2.0), "inner": {"depth": 2}})
    assert (made.temperature_K, made.seeds, made.inner) == (300.0, [1, 2], Inner(depth=2))
    assert Outer.from_dict(made.to_dict()) == made
    assert Outer(300.0).seeds is not Outer(300.0).seeds
    for change, words in (
        ({"temperature_k": 300}, "unknown outer setting temperature_k: did you mean temperature_K?"),
        ({"colour": 1}, "unknown outer setting colour; choose from inner, kind, limit, on, seeds, temperature_K"),
        ({"inner": {"dept": 1}}, "unknown inner setting dept: did you mean depth?"),
        ({"inner": 3}, "inner must be a mapping of settings, got 3"),
        ({"on": True}, "on needs a limit"),
        ({"on": 1}, "on must be true or false, got 1"),
    ):
        with pytest.raises(SettingsError, match=words.replace("?", r"\?")):
            Outer.from_dict({"temperature_K": 300} | change)
    with pytest.raises(SettingsError, match="outer settings lack temperature_K"):
        Outer.from_dict({})
    with pytest.raises(SettingsError, match="outer settings must be a mapping"):
        Outer.from_dict([])  # type: ignore[arg-type]


def test_help_says_type_unit_and_range() -> None:
    assert "`temperature_K`: 1 to 10,000 K; `kind`: one or two" in summary(Outer)
    assert rules_of(Outer)["temperature_K"].help == "Temperature"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty: it must hold settings"),
        ("- 1", "must hold settings, as `name: value` lines"),
        ("a: 1\nb: [", "line 2"),
        ("a: !!python/object/apply:os.system ['true']", "line 1.*tags such as"),
        ("a: 1\na: 2", "line 2.*a appears in it twice"),
        ("a: &x [1]\nb: *x", "line 2.*anchors are not supported"),
        ("1: 2", "line 1.*the name 1 is not a text"),
    ],
)
def test_yaml_that_cannot_be_settings_is_refused_with_its_line(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=words) as error:
        read_yaml(path, "settings")
    assert "\n" not in str(error.value)


def test_yaml_with_a_mark_of_its_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: {c: 2.5}\r\n")
    assert read_yaml(path, "settings") == {"a": 1, "b": {"c": 2.5}}


@pytest.mark.parametrize("text", ["[]", "3", "{", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100_000])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        read_json(text)
