import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import DamagedFileError
from linnet.runtime.wire import encode_bytes, encode_varint, fields, varint


@given(st.integers(0, 2**64 - 1))
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    encoded = encode_varint(value)
    assert varint(memoryview(encoded), 0, len(encoded)) == (value, len(encoded))


@given(st.integers(1, 2**29 - 1), st.binary(max_size=300))
def test_a_field_holds_the_bytes_that_were_written(number: int, value: bytes) -> None:
    encoded = encode_bytes(number, value)
    [field] = fields(memoryview(encoded))
    assert (field.number, encoded[field.value_start : field.end]) == (number, value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_their_end_or_refused(content: bytes) -> None:
    try:
        read = list(fields(memoryview(content)))
    except DamagedFileError:
        return
    ends = [0, *(field.end for field in read)]
    assert [field.start for field in read] == ends[:-1]
    assert ends[-1] == len(content)


@pytest.mark.parametrize("content", [
    b"\x08" + b"\xff" * 9 + b"\x7f",  # a number of 70 bits
    b"\x08" + b"\xff" * 9,  # a number that never ends
    b"\x3a" + encode_varint(2**63) + b"x",  # a length beyond any file
    b"\x00\x00",  # field number 0
    b"\x0b\x0c",  # a group
    b"\x0d\x00\x00",  # two of four bytes
])
def test_malformed_messages_are_damaged(content: bytes) -> None:
    with pytest.raises(DamagedFileError):
        list(fields(memoryview(content)))
