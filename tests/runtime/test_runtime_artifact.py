import hashlib
import stat
from pathlib import Path

import onnx
import onnxruntime
import pytest
from onnx_files import digits_bytes, with_external_weights

from linnet.errors import DamagedFileError, LinnetError
from linnet.runtime.artifact import CLAIMS_KEY, read, with_metadata, write
from linnet.runtime.wire import encode_bytes


def entry(key: bytes, value: bytes) -> bytes:
    return encode_bytes(14, encode_bytes(1, key) + encode_bytes(2, value))


def test_metadata_is_what_onnx_and_the_engine_read() -> None:
    content = with_metadata(digits_bytes(), {"one": "ä", "two": "", "linnet.claims": "{}"})
    expected = {"one": "ä", "two": "", "linnet.claims": "{}"}
    assert read(content).metadata == expected
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model)
    assert {item.key: item.value for item in model.metadata_props} == expected
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == expected


def test_identity_of_a_file_without_claims_is_its_hash() -> None:
    content = digits_bytes()
    assert read(content).identity == hashlib.sha256(content).hexdigest()


def test_claims_do_not_change_the_identity_and_everything_else_does() -> None:
    content = with_metadata(digits_bytes(), {"linnet.card": "{}"})
    identity = read(content).identity
    assert read(with_metadata(content, {CLAIMS_KEY: "some"})).identity == identity
    assert read(entry(CLAIMS_KEY.encode(), b"first in the file") + content).identity == identity
    assert read(with_metadata(content, {"linnet.card": "{ }"})).identity != identity
    assert read(with_metadata(content, {"other": ""})).identity != identity
    for place in range(0, len(content), 97):
        changed = bytearray(content)
        changed[place] ^= 1
        try:
            assert read(bytes(changed)).identity != identity
        except DamagedFileError:
            continue


def test_setting_metadata_again_replaces_it_and_keeps_the_rest() -> None:
    once = with_metadata(digits_bytes(), {"a": "1", "b": "2"})
    twice = with_metadata(once, {"a": "3"})
    assert read(twice).metadata == {"b": "2", "a": "3"}
    assert len(twice) == len(once)
    assert read(once).size_without_claims_bytes == len(once)
    assert read(with_metadata(once, {CLAIMS_KEY: "x" * 1000})).size_without_claims_bytes == len(once)


def test_every_truncation_is_damaged_or_ends_between_two_fields() -> None:
    content = with_metadata(digits_bytes(), {"linnet.card": "{}", CLAIMS_KEY: "{}"})
    whole = 0
    for length in range(len(content)):
        try:
            whole += content.startswith(read(content[:length]).content)
        except DamagedFileError:
            continue
    assert whole <= 3  # after the graph, after the opset, after the card


@pytest.mark.parametrize(("content", "said"), [
    (b"", "no graph"),
    (b"just some text, no model at all", "protobuf|cut off"),
    (b"RIFF\x24\x08\x00\x00WAVEfmt ", "protobuf|cut off"),
    (b"\x08\x08\x38\x01", "no graph"),  # field 7, yet a number
    (digits_bytes() + entry(b"linnet.card", b"{}") * 2, "twice"),
    (digits_bytes() + entry(b"linnet.claims", b"{}") * 2, "twice"),
    (digits_bytes() + entry(b"a", b"\xff\xfe"), "UTF-8"),
    (digits_bytes() + encode_bytes(14, encode_bytes(1, b"a") + encode_bytes(1, b"linnet.claims")), "one key"),
    (digits_bytes() + encode_bytes(14, encode_bytes(1, b"a") + encode_bytes(7, b"more")), "one key"),
    (digits_bytes() + b"\x70\x05", "keys and values"),
    (digits_bytes() + b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "cut off"),
])
def test_what_is_no_onnx_file_is_damaged_and_says_why(content: bytes, said: str) -> None:
    with pytest.raises(DamagedFileError, match=said):
        read(content)


def test_a_foreign_file_may_repeat_a_key_of_its_own() -> None:
    assert read(digits_bytes() + entry(b"a", b"1") + entry(b"a", b"2")).metadata == {"a": "2"}


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(LinnetError, match="there is no file"):
            read(path)


def test_weights_in_other_files_are_found(tmp_path: Path) -> None:
    assert read(with_external_weights(tmp_path)).external_files == ("weights.bin",)
    assert read(digits_bytes()).external_files == ()


def test_weights_in_other_files_are_found_within_nodes_and_subgraphs() -> None:
    tensor = onnx.TensorProto(dims=[1], data_type=1, name="w", data_location=1)
    tensor.external_data.add(key="location", value="hidden.bin")
    inner = onnx.helper.make_graph([onnx.helper.make_node("Constant", [], ["c"], value=tensor)], "inner", [], [])
    outer = onnx.helper.make_graph([onnx.helper.make_node("Loop", [], ["y"], body=inner)], "outer", [], [])
    content = onnx.helper.make_model(outer).SerializeToString()
    assert read(content).external_files == ("hidden.bin",)


def test_writing_keeps_permissions_and_links_and_leaves_nothing_beside(tmp_path: Path) -> None:
    target, link = tmp_path / "a.onnx", tmp_path / "link.onnx"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "link.onnx"]
