"""Archives are hostile until shown otherwise: every file here is really made."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.archives import container
from aiida_ion.archives.open import ArchiveError, check_archive, open_archive

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")
Spoil = Callable[..., Path]


def refused(path: Path, *words: str) -> str:
    """Return the message with which a file is refused: one line that holds these words, nothing for terminals."""
    with pytest.raises(ArchiveError) as caught:
        check_archive(path)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert message.isprintable()
    return message


@pytest.mark.usefixtures("back")
def test_an_honest_archive_opens_and_is_left_as_it_was(archive: Path) -> None:
    before = archive.read_bytes()
    open_archive(archive)
    query = orm.QueryBuilder().append(orm.ArrayData, project=["attributes.tracer_diffusivity_cm2_s", "*"])
    ((diffusivity, node),) = query.all()
    assert diffusivity == 1e-5
    assert node.get_array().tolist() == [0, 1, 2, 3, 4]
    assert archive.read_bytes() == before


def test_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "absent.aiida", "there is no file")
    refused(tmp_path, "there is no file")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06" + b"\xff" * 18, b"\x00" * 100_000])
def test_no_zip_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.aiida"
    path.write_bytes(content)
    refused(path, str(path))


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9, 0.999])
def test_truncated(changed_bytes: Callable[..., Path], kept: float) -> None:
    refused(changed_bytes(lambda content: content[: int(kept * len(content))]), "get the file again")


def test_damaged_in_the_middle(archive: Path, changed_bytes: Callable[..., Path]) -> None:
    with zipfile.ZipFile(archive) as honest:
        member = honest.getinfo("db.sqlite3")
    middle = member.header_offset + 30 + len(member.filename) + member.compress_size // 2

    def flip(content: bytearray) -> None:
        content[middle : middle + 20] = bytes(byte ^ 0xFF for byte in content[middle : middle + 20])

    refused(changed_bytes(flip), "damaged database", "get the file again")


def test_foreign_zip(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as photos:
        photos.writestr("holiday.jpg", b"...")
    refused(path, "without metadata.json")


@pytest.mark.parametrize("metadata", [b"{", b"[]", b'{"a": 1}', b'{"export_version": 7}', b"[" * 100_000, b"\xff\xfe"])
def test_foreign_metadata(spoil: Spoil, metadata: bytes) -> None:
    refused(spoil(metadata=metadata), "metadata.json")


def test_no_database(spoil: Spoil) -> None:
    refused(spoil(leave_out="db.sqlite3"), "without db.sqlite3")


def test_newer_schema_names_the_version_that_is_needed(spoil: Spoil) -> None:
    path = spoil(metadata={"export_version": "main_0009", "aiida_version": "4.2.0"})
    refused(path, "main_0009", "needs aiida-core 4.2.0 or newer", "pip install -U aiida-core")


def test_older_schema_names_the_command(spoil: Spoil, tmp_path: Path) -> None:
    refused(spoil(metadata={"export_version": "main_0000"}), "verdi archive migrate OLD NEW")
    old = tmp_path / "old.aiida"
    with zipfile.ZipFile(old, "w") as one:
        one.writestr("metadata.json", '{"export_version": "0.9"}')
        one.writestr("data.json", "{}")
    refused(old, "verdi archive migrate OLD NEW")
    with tarfile.open(old, "w") as one:
        entry = tarfile.TarInfo("metadata.json")
        entry.size = 2
        one.addfile(entry, io.BytesIO(b"{}"))
    refused(old, "verdi archive migrate OLD NEW")


def test_text_of_strangers_does_not_reach_the_terminal(spoil: Spoil) -> None:
    message = refused(spoil(metadata={"export_version": "\x1b[2J\n" + "x" * 10_000}), "ask the sender of the file")
    assert len(message) < 500


NAMES = ["../../etc/cron.d/x", "/etc/passwd", "repo/../../x", "..\\..\\x", "C:\\x", "~/.bashrc", "a\x1b[31m"]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_point_outside(spoil: Spoil, name: str) -> None:
    refused(spoil(add={name: b"harm"}), "points outside")


def test_links(spoil: Spoil) -> None:
    link = zipfile.ZipInfo("repo/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(spoil(add={link: b"/etc/passwd"}), "link or device")


def test_two_databases(spoil: Spoil) -> None:
    refused(spoil(add={"db.sqlite3": b"another"}), "two files of the same name")


def test_packed_again_in_another_order(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "again.aiida"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for name in [f"x{i}" for i in range(9)]:
            new.writestr(name, b"")
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    refused(path, "must come first")


def test_encrypted(changed_bytes: Callable[..., Path], archive: Path) -> None:
    def encrypt(content: bytearray) -> None:
        content[content.rfind(b"PK\x01\x02") + 8] |= 1

    refused(changed_bytes(encrypt), "cannot read")


def test_a_bomb(spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spoil(add={"repo/" + "0" * 64: bytes(300 * 1024**2)})
    assert path.stat().st_size < 2 * 1024**2
    refused(path, "would grow more than 200 times")


def test_a_bomb_of_members_that_overlap(spoil: Spoil, archive: Path) -> None:
    path = spoil(add={f"repo/{i:064d}": bytes([i]) * 100 for i in range(9)})
    content = bytearray(path.read_bytes())
    first = path.read_bytes().find(f"repo/{0:064d}".encode()) - 30
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 42 : at + 46] = struct.pack("<I", first)
        at = content.find(b"PK\x01\x02", at + 1)
    path.write_bytes(bytes(content))
    refused(path, "overlapping files")


def test_a_list_too_long(spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spoil(add={f"repo/{i:064d}": b"" for i in range(2000)})
    check_archive(path)
    monkeypatch.setattr(container, "MAX_DIRECTORY_BYTES", 100_000)
    refused(path, "more files than an AiiDA archive")


def test_a_list_that_claims_to_be_huge(changed_bytes: Callable[..., Path]) -> None:
    def claim(content: bytearray) -> None:
        end = content.rfind(b"PK\x05\x06")
        content[end + 8 : end + 16] = b"\xff\xff\xff\xff" + struct.pack("<I", 0xFFFFFFF0)

    refused(changed_bytes(claim), "more files than an AiiDA archive")


def test_metadata_too_large(spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_METADATA_BYTES", 1000)
    refused(spoil(metadata={"note": "x" * 2000}), "metadata.json of")


def test_no_room_for_the_database(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Any) -> Any:
        return type("Usage", (), {"free": 10})

    monkeypatch.setattr("aiida_ion.archives.open.shutil.disk_usage", full)
    refused(archive, "make room, or set TMPDIR")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_damaged_the_error_is_ours(archive: Path, tmp_path: Path, seed: int) -> None:
    """Bytes at random places become others: nothing but an ArchiveError may come of it."""
    rng = np.random.default_rng(seed)
    content, path = archive.read_bytes(), tmp_path / "damaged.aiida"
    directory = content.rfind(b"PK\x01\x02", 0, -200)
    n_refused = 0
    for trial in range(60):
        damaged = bytearray(content)
        # Every other time among the lists at the end, where a byte changes most.
        start = 0 if trial % 2 else max(0, directory - 400)
        for place in rng.integers(start, len(content), rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            check_archive(path)
        except ArchiveError:
            n_refused += 1
    assert n_refused > 20
