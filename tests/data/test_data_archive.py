"""Files inside archives, read in place: the right bytes, and every way in which an archive is not to be trusted."""

import io
import os
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.data.archive import Archives, is_member, members
from linnet.errors import DamagedFileError, LinnetError

FILES = {"a.txt": b"first", "deep/er/b.bin": os.urandom(70_000), "c.txt": b"x" * 5000, "ü.txt": b"umlaut"}


def zipped(path, files=FILES, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def tarred(path, files=FILES, mode="w"):
    with tarfile.open(path, mode) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("pack", [lambda path: zipped(path / "x.zip"), lambda path: tarred(path / "x.tar"),
                                  lambda path: zipped(path / "x.ZIP", method=zipfile.ZIP_STORED)])
def test_every_member_gives_its_bytes(tmp_path, pack):
    archive, archives = pack(tmp_path), Archives()
    assert list(members(archive)) == list(FILES)
    for name, data in FILES.items():
        assert archives.read(tmp_path / f"{archive.name}!" / name) == data
    with pytest.raises(DamagedFileError, match=r"is not in the archive x.* \(4 files\)"):
        archives.read(tmp_path / f"{archive.name}!/d.txt")


def test_what_a_zip_says_of_a_file_before_its_bytes_is_skipped(tmp_path):
    info = zipfile.ZipInfo("a.txt")
    info.extra = b"\x99\x99\x04\0four"
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(info, b"content")
    assert Archives().read(tmp_path / "x.zip!/a.txt") == b"content"


@settings(deadline=None)
@given(st.dictionaries(st.text("abc/é", min_size=1, max_size=5).filter(lambda name: "/" not in (name[0], name[-1])
                                                                     and "//" not in name),
                       st.binary(max_size=600), max_size=5))
def test_any_files_come_back(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("x")
    for archive in (zipped(folder / "x.zip", files), tarred(folder / "x.tar", files)):
        assert {name: Archives().read(folder / f"{archive.name}!/{name}") for name in members(archive)} == files


def test_links_are_not_followed(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as file:
        for name, kind in (("soft", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        info = zipfile.ZipInfo("soft")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    for name in ("x.tar!/soft", "x.tar!/hard", "x.zip!/soft"):
        with pytest.raises(DamagedFileError, match="is a link, which is not followed"):
            Archives().read(tmp_path / name)


def test_damage_is_seen(tmp_path):
    archive = zipped(tmp_path / "x.zip", method=zipfile.ZIP_STORED)
    data = bytearray(archive.read_bytes())
    data[data.index(b"first")] ^= 1
    archive.write_bytes(data)
    with pytest.raises(DamagedFileError, match="damaged in its archive"):
        Archives().read(tmp_path / "x.zip!/a.txt")
    archive = zipped(tmp_path / "y.zip")
    data = bytearray(archive.read_bytes())
    member = members(archive)["deep/er/b.bin"]
    data[member.offset + 100:member.offset + 140] = bytes(40)
    archive.write_bytes(data)
    with pytest.raises(DamagedFileError, match="damaged in its archive"):
        Archives().read(tmp_path / "y.zip!/deep/er/b.bin")


def test_a_member_that_unpacks_to_more_than_it_says_is_stopped(tmp_path):
    archive = zipped(tmp_path / "x.zip", {"bomb": bytes(50_000_000)})
    data = archive.read_bytes()
    said = (50_000_000).to_bytes(4, "little")
    archive.write_bytes(data.replace(said, (10).to_bytes(4, "little")))
    with pytest.raises(DamagedFileError, match="11 bytes of 10 came"):
        Archives().read(tmp_path / "x.zip!/bomb")
    archive.write_bytes(data.replace(said, (1 << 31).to_bytes(4, "little")))
    with pytest.raises(DamagedFileError, match=r"is too large \(2147483648 bytes"):
        Archives().read(tmp_path / "x.zip!/bomb")


def test_encrypted_and_strangely_compressed_members_are_said(tmp_path):
    archive = zipped(tmp_path / "x.zip", {"a": b"a"})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(DamagedFileError, match="is encrypted"):
        Archives().read(tmp_path / "x.zip!/a")
    zipped(tmp_path / "y.zip", {"a": b"a" * 100}, method=zipfile.ZIP_LZMA)
    with pytest.raises(DamagedFileError, match="other than deflate"):
        Archives().read(tmp_path / "y.zip!/a")


@pytest.mark.parametrize(("name", "change", "words"), [
    ("x.zip", lambda data: data[:-100], "cannot be read as a zip archive"), ("x.zip", lambda data: b"", "as a zip"),
    ("x.tar", lambda data: data[:3000], "cannot be read as a tar archive"),
    ("x.tar", lambda data: data[:512 * 6], "tar archive"), ("x.tar", lambda data: b"no" * 999, "tar archive"),
    ("x.tar", lambda data: data[:512 * 2] + b"junk" * 128 + data[512 * 3:], "its end is missing after 1 files")])
def test_what_is_cut_off_or_no_archive_is_refused(tmp_path, name, change, words):
    archive = (zipped if name == "x.zip" else tarred)(tmp_path / name)
    archive.write_bytes(change(archive.read_bytes()))
    with pytest.raises(LinnetError, match=words):
        members(archive)


def test_a_compressed_tar_is_not_read_in_place(tmp_path):
    with pytest.raises(LinnetError, match=r"compressed with gzip.*gunzip it first"):
        members(tarred(tmp_path / "x.tar", mode="w:gz"))
    with pytest.raises(DamagedFileError, match=r"gone.zip is not there"):
        Archives().read(tmp_path / "gone.zip!/a")


def test_only_archives_have_members(tmp_path):
    assert is_member("a/b.tar!/c")
    assert not is_member("a/b.tar")
    assert not is_member("really!/c.wav")
