"""Archives of strangers: only what is wanted, only to where it belongs, never without end."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from linnet.data.unpacking import Limits, gunzip, unpack
from linnet.errors import LinnetError

Members = list[tuple[str, bytes | tuple[bytes, str]]]


def tar(path: Path, members: Members) -> Path:
    with tarfile.open(path, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    return path


def zipped(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if not isinstance(content, bytes):
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content if isinstance(content, bytes) else content[1])
    return path


def as_it_is(name: str) -> str | None:
    return name if name.endswith(".wav") else None


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("make", [tar, zipped])
def test_only_what_is_wanted_is_written(make, tmp_path):
    archive = make(tmp_path / "a", [("a/1.wav", b"one"), ("a/notes.md", b"words"), ("../x.md", b"evil"),
                                    ("b/2.wav", b"two")])
    assert unpack(archive, tmp_path / "in", wanted=as_it_is) == 2
    assert files(tmp_path / "in") == ["a/1.wav", "b/2.wav"]
    assert (tmp_path / "in" / "b" / "2.wav").read_bytes() == b"two"


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("name", ["../1.wav", "a/../../1.wav", "/tmp/1.wav", "c:/1.wav", "a\\..\\1.wav"])
def test_a_path_that_leaves_the_folder_is_refused(make, name, tmp_path):
    with pytest.raises(LinnetError, match="outside of the folder"):
        unpack(make(tmp_path / "a", [(name, b"evil")]), tmp_path / "in", wanted=as_it_is)
    assert files(tmp_path) == ["a"]


@pytest.mark.parametrize(("make", "kind"), [(tar, tarfile.SYMTYPE), (tar, tarfile.LNKTYPE), (tar, tarfile.FIFOTYPE),
                                            (tar, tarfile.CHRTYPE), (tar, tarfile.GNUTYPE_SPARSE), (zipped, b"2")])
def test_links_and_devices_are_refused(make, kind, tmp_path):
    with pytest.raises(LinnetError, match=r"'1.wav' is a link or a device|no whole archive"):
        unpack(make(tmp_path / "a", [("1.wav", (kind, "/etc/passwd"))]), tmp_path / "in", wanted=as_it_is)
    assert files(tmp_path) == ["a"]


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize(("limits", "words"), [
    (Limits(ratio=20), "more than 20 times its size"), (Limits(1_000_000, ratio=2000), "more than 1,000,000 bytes"),
    (Limits(files=1, ratio=2000), "more than 1 files")])
def test_what_becomes_too_much_is_stopped(make, limits, words, tmp_path):
    archive = make(tmp_path / "a", [("1.wav", b"1"), ("2.wav", bytes(3_000_000))])
    assert archive.stat().st_size < 10_000
    with pytest.raises(LinnetError, match=words):
        unpack(archive, tmp_path / "in", wanted=as_it_is, limits=limits)
    assert unpack(archive, tmp_path / "out", wanted=as_it_is, limits=Limits(ratio=2000)) == 2


def test_a_bomb_in_a_member_that_nobody_wants_is_stopped_too(tmp_path):
    archive = tar(tmp_path / "a", [("big.md", bytes(5_000_000)), ("1.wav", b"1")])
    with pytest.raises(LinnetError, match="times its size"):
        unpack(archive, tmp_path / "in", wanted=as_it_is, limits=Limits(ratio=20))


@pytest.mark.parametrize("make", [tar, zipped])
def test_a_file_that_is_there_twice_is_refused(make, tmp_path):
    archive = make(tmp_path / "a", [("1.wav", b"1"), ("1.wav2/x.wav", b"2")])
    with pytest.raises(LinnetError, match="is in it twice"):
        unpack(archive, tmp_path / "in", wanted=lambda name: "same.wav")


@pytest.mark.parametrize("make", [tar, zipped])
def test_a_damaged_archive_is_said(make, tmp_path):
    whole = make(tmp_path / "a", [("1.wav", bytes(number * number % 251 for number in range(90_000)))]).read_bytes()
    for number, broken in enumerate((whole[:len(whole) // 2], whole[:200] + b"oops" + whole[204:])):
        (tmp_path / "b").write_bytes(broken)
        with pytest.raises(LinnetError, match=r"no whole archive|its header says"):
            unpack(tmp_path / "b", tmp_path / f"in-{number}", wanted=as_it_is)


@pytest.mark.parametrize("content", [b"<html>", b"", b"7z\xbc\xaf"])
def test_what_is_no_archive_is_refused(content, tmp_path):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(LinnetError, match=r"neither a \.tar\.gz nor a \.zip"):
        unpack(tmp_path / "a.zip", tmp_path / "in", wanted=as_it_is)


def test_a_gz_file_is_read_up_to_its_limit(tmp_path):
    file = tmp_path / "a.gz"
    file.write_bytes(gzip.compress(bytes(5000)))
    assert gunzip(file, limit_bytes=5000) == bytes(5000)
    with pytest.raises(LinnetError, match="more than 4,999 bytes"):
        gunzip(file, limit_bytes=4999)
    file.write_bytes(gzip.compress(b"words")[:-5])
    with pytest.raises(LinnetError, match=r"no whole \.gz"):
        gunzip(file, limit_bytes=5000)
