"""How classes number their types."""

from __future__ import annotations

#: The first of five classes each that number their types as classes 10 to 14 do.
_MEASUREMENT_CLASSES = (10, 60, 65, 70, 85)


def base_class(vscp_class: int) -> int:
    """Return the level I class that is sent as a level II class (512 to 1023); else the same."""
    return vscp_class - 512 if 512 <= vscp_class < 1024 else vscp_class


def quantity_of(vscp_class: int, vscp_type: int) -> int | None:
    """Return what an event measures: a type of class 10 (0 to 255), of class 11 (256 to 511), ...

    None for classes that are no measurements.
    """
    if vscp_class in (1040, 1060):
        return vscp_type
    base = base_class(vscp_class)
    for first in _MEASUREMENT_CLASSES:
        if first <= base < first + 5:
            return vscp_type + 256 * (base - first)
    return None
