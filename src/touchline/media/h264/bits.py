"""Bit-level reading of H.264 units: payload, and numbers in their encodings."""

from __future__ import annotations

_MAX_LEADING_ZEROS = 31


class Bits:
    """Reads a unit's payload bit by bit. Raises ValueError beyond its end."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._left = len(data) * 8
        self._value = int.from_bytes(data, "big")

    def u(self, count: int) -> int:
        """Read an unsigned number of `count` bits."""
        self._left -= count
        if self._left < 0:
            raise ValueError("it ends too early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """Read one bit."""
        return self.u(1) == 1

    def ue(self, most: int = (1 << 32) - 2) -> int:
        """Read an unsigned Exp-Golomb number of at most `most`."""
        rest = self._value & ((1 << self._left) - 1)
        zeros = self._left - rest.bit_length()
        if zeros > _MAX_LEADING_ZEROS:
            raise ValueError("a number in it is too large")
        self.u(zeros)
        value = self.u(zeros + 1) - 1
        if value > most:
            raise ValueError(f"a number in it is {value} where {most} is the most")
        return value

    def se(self) -> int:
        """Read a signed Exp-Golomb number."""
        value = self.ue()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def payload(unit: bytes, most_bytes: int | None = None) -> bytes:
    """Return a unit's payload (RBSP), without header byte and emulation prevention bytes."""
    data = unit[1:] if most_bytes is None else unit[1 : 1 + most_bytes]
    return data.replace(b"\0\0\3", b"\0\0") if b"\0\0\3" in data else data
