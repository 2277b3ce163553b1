from pathlib import Path

import pytest

from linnet.errors import LinnetError
from linnet.files import replacing


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with replacing(path) as partial:
        partial.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with pytest.raises(UnicodeEncodeError), replacing(path) as partial:
        partial.write_text("half of it, then \udc00", encoding="utf-8")
    assert path.read_text() == "one"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]
    with replacing(path) as partial:
        partial.write_text("two")
        partial.chmod(0o444)
    assert path.read_text() == "two"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match=f"{tmp_path.name} is a folder"), replacing(tmp_path) as partial:
        partial.write_text("never")
    assert not list(tmp_path.parent.glob("*.partial"))
