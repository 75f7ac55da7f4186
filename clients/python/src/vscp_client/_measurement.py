"""What an event measures."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from ._numbering import base_class, quantity_of
from ._tables import TYPES, UNITS


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured value."""

    value: float
    #: How many decimals it was sent with; None where that cannot be said.
    decimals: int | None
    #: The symbol or name of the unit; "" where it has none.
    unit: str
    #: The unit's code in the event.
    unit_code: int
    #: A type of class 10 (0 to 255), of class 11 (256 to 511), ...; None for class 15.
    quantity: int | None
    #: The index of the sensor in its node.
    sensor: int
    zone: int = 0
    subzone: int = 0

    @property
    def name(self) -> str:
        """The quantity in words; "" where it has none."""
        if self.quantity is None:
            return ""
        return TYPES.get(10 + (self.quantity >> 8), {}).get(self.quantity & 255, "")

    def __str__(self) -> str:
        """Return number and unit, as "21.50 °C"."""
        number = f"{self.value:.7g}" if self.decimals is None else f"{self.value:.{min(self.decimals, 12)}f}"
        return f"{number} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class _Reading:
    """A number with the places that the data have for its unit and sensor."""

    value: float
    decimals: int | None = None
    unit: int = 0
    sensor: int = 0
    zone: int = 0
    subzone: int = 0


def measurement_of(vscp_class: int, vscp_type: int, data: bytes) -> Measurement | None:
    """Return what an event measures; None where it is no measurement, or no number."""
    base = base_class(vscp_class)
    # Behind the GUID of an interface.
    reading = _read(base, data if base == vscp_class else data[16:])
    if reading is None or not math.isfinite(reading.value):
        return None
    quantity = quantity_of(vscp_class, vscp_type)
    units = {} if quantity is None else UNITS.get(quantity, {})
    return Measurement(
        value=reading.value,
        decimals=reading.decimals,
        unit=units.get(reading.unit, ""),
        unit_code=reading.unit,
        quantity=quantity,
        sensor=reading.sensor,
        zone=reading.zone,
        subzone=reading.subzone,
    )


def _read(base: int, data: bytes) -> _Reading | None:
    if 10 <= base <= 15:
        return _coded(data)
    if 65 <= base <= 69 or 85 <= base <= 89:
        return _zoned(data)
    if 60 <= base <= 64:
        return _float(data) if len(data) == 8 else None
    if 70 <= base <= 74:
        return _float(data) if len(data) == 4 else None
    if base == 1040:
        return _level2(data, _text)
    if base == 1060:
        return _level2(data, lambda value: _float(value) if len(value) == 8 else None)
    return None


def _coded(data: bytes) -> _Reading | None:
    """Read the coding byte (bits 7-5 format, 4-3 unit, 2-0 sensor) and what it codes."""
    if len(data) < 2:
        return None
    coding = data[0]
    number = _FORMATS[coding >> 5](data[1:])
    if number is None:
        return None
    return _Reading(number.value, number.decimals, unit=coding >> 3 & 3, sensor=coding & 7)


def _zoned(data: bytes) -> _Reading | None:
    number = _coded(data[3:])
    if number is None:
        return None
    return _Reading(number.value, number.decimals, number.unit, data[0], data[1], data[2])


def _level2(data: bytes, read: Callable[[bytes], _Reading | None]) -> _Reading | None:
    number = read(data[4:])
    if number is None:
        return None
    return _Reading(number.value, number.decimals, data[3], data[0], data[1], data[2])


def _unsigned(data: bytes) -> _Reading | None:
    return _Reading(float(int.from_bytes(data, "big")), 0)


def _signed(data: bytes) -> _Reading | None:
    return _Reading(float(int.from_bytes(data, "big", signed=True)), 0)


def _normalized(data: bytes) -> _Reading | None:
    """Read a power of ten to multiply with, or (bit 7) to divide by, and an integer."""
    if len(data) < 2:
        return None
    exponent = data[0] & 0x7F
    number = int.from_bytes(data[1:], "big", signed=True)
    if data[0] & 0x80:
        return _Reading(number / 10**exponent, exponent)
    return _Reading(float(number * 10**exponent), 0)


_NUMBER = re.compile(r"[+-]?(\d+\.?(?P<decimals>\d*)|\.(?P<only>\d+))([eE][+-]?\d+)?")


def _text(data: bytes) -> _Reading | None:
    found = _NUMBER.fullmatch(data.decode("latin-1").rstrip("\0").strip())
    if found is None:
        return None
    exact = found.group(4) is None
    decimals = len(found["decimals"] or found["only"] or "")
    return _Reading(float(found.group()), decimals if exact else None)


def _float(data: bytes) -> _Reading | None:
    forms = {4: ">f", 8: ">d"}
    if len(data) not in forms:
        return None
    (value,) = struct.unpack(forms[len(data)], data)
    return _Reading(float(value))


def _reserved(_data: bytes) -> _Reading | None:
    return None


_FORMATS: list[Callable[[bytes], _Reading | None]] = [
    _unsigned,
    _unsigned,
    _text,
    _signed,
    _normalized,
    _float,
    _float,
    _reserved,
]
