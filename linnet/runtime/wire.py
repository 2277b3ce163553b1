"""The protobuf wire format, as much of it as ONNX needs: fields, their numbers, and where their bytes lie.

Source: https://protobuf.dev/programming-guides/encoding/ (groups, long deprecated, do not occur in ONNX).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from linnet.errors import DamagedFileError

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
_FIXED = {EIGHT_BYTES: 8, FOUR_BYTES: 4}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: the bytes from `start` to `end` hold it whole, those from `value_start` its value."""

    number: int
    wire: int
    start: int
    value_start: int
    end: int


def fields(message: memoryview, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the message that lies in bytes `start` to `end`; raises DamagedFileError where it is none.

    >>> [(field.number, field.wire) for field in fields(memoryview(bytes([0x08, 0x0A, 0x3A, 0x00])))]
    [(1, 0), (7, 2)]
    """
    end = len(message) if end is None else end
    position = start
    while position < end:
        key, value_start = varint(message, position, end)
        number, wire = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise DamagedFileError(f"not a protobuf message: field number {number} at byte {position}.")
        if wire == VARINT:
            _, stop = varint(message, value_start, end)
        elif wire == LENGTH:
            length, value_start = varint(message, value_start, end)
            stop = value_start + length
        elif wire in _FIXED:
            stop = value_start + _FIXED[wire]
        else:
            raise DamagedFileError(f"not a protobuf message: unknown wire type {wire} at byte {position}.")
        if stop > end:
            raise DamagedFileError(f"cut off: {stop - end} bytes of field {number} at byte {position} are missing.")
        yield Field(number, wire, position, value_start, stop)
        position = stop


def varint(message: memoryview, position: int, end: int) -> tuple[int, int]:
    """The number that starts at `position`, and the position behind it; at most 64 bits.

    >>> varint(memoryview(bytes([0xAC, 0x02])), 0, 2)
    (300, 2)
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise DamagedFileError(f"cut off: the message ends at byte {end} within a number.")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, position
    raise DamagedFileError(f"not a protobuf message: a number of more than 64 bits ends at byte {position}.")


def encode_varint(value: int) -> bytes:
    """The bytes of a number that is not negative.

    >>> encode_varint(300).hex()
    'ac02'
    """
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_bytes(number: int, value: bytes) -> bytes:
    """Field `number` holding `value`.

    >>> encode_bytes(1, b"hi").hex()
    '0a026869'
    """
    return encode_varint(number << 3 | LENGTH) + encode_varint(len(value)) + value
