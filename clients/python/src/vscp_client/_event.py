"""Events, and the patterns that filters are made of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ._measurement import Measurement, measurement_of
from ._numbering import base_class, quantity_of
from ._tables import CLASSES, TYPES

NO_GUID = ":".join(["00"] * 16)

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Event:
    """An event. Class and type are all that one to be sent needs."""

    vscp_class: int
    vscp_type: int
    #: 0 to 512 bytes.
    data: bytes = b""
    #: Who sent it: 16 pairs of hex digits with colons. "-" is the server's own.
    guid: str = "-"
    #: Priority (bits 7-5, 0 is the highest) and flags.
    head: int = 3 << 5
    #: The id of the connection that the event came in on.
    obid: int = 0
    #: None where it is not set: the server sets it.
    datetime: dt.datetime | None = None
    #: Microseconds of the sender's clock.
    timestamp: int = 0

    @property
    def priority(self) -> int:
        """From 0, the highest, to 7."""
        return self.head >> 5 & 7

    @property
    def measurement(self) -> Measurement | None:
        """What the event measures; None where it is no measurement, or no number."""
        return measurement_of(self.vscp_class, self.vscp_type, self.data)

    @property
    def class_name(self) -> str:
        """The class in words."""
        return CLASSES.get(self.vscp_class, f"Class {self.vscp_class}")

    @property
    def type_name(self) -> str:
        """The type in words."""
        quantity = quantity_of(self.vscp_class, self.vscp_type)
        if quantity is None:
            names = TYPES.get(base_class(self.vscp_class), {})
            name = names.get(self.vscp_type)
        else:
            name = TYPES.get(10 + (quantity >> 8), {}).get(quantity & 255)
        return name or f"Type {self.vscp_type}"

    @classmethod
    def parse(cls, text: str) -> Event:
        """Read the text form: ``head,class,type,obid,datetime,timestamp,GUID[,data...]``."""
        fields = [field.strip() for field in text.split(",")]
        if len(fields) < 7:
            raise ValueError(f"found {len(fields)} fields in {text[:80]!r}, expected at least 7")
        head, vscp_class, vscp_type, obid, date, timestamp, guid, *data = fields
        return cls(
            vscp_class=_number(vscp_class),
            vscp_type=_number(vscp_type),
            data=bytes(_number(byte) for byte in data if byte),
            guid=guid,
            head=_number(head),
            obid=_number(obid),
            datetime=dt.datetime.strptime(date, _TIME).replace(tzinfo=dt.timezone.utc) if date else None,
            timestamp=_number(timestamp),
        )

    def __str__(self) -> str:
        """Return the text form: what :meth:`parse` reads."""
        date = self.datetime.astimezone(dt.timezone.utc).strftime(_TIME) if self.datetime else ""
        fields = [self.head, self.vscp_class, self.vscp_type, self.obid, date, self.timestamp, self.guid, *self.data]
        return ",".join(map(str, fields))


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a filter looks at; a field that is None matches all."""

    priority: int | None = None
    vscp_class: int | None = None
    vscp_type: int | None = None
    guid: str | None = None

    def filter_text(self) -> str:
        """Return it as a filter: nothing is zeros."""
        guid = NO_GUID if self.guid is None else self.guid
        return f"{self.priority or 0},{self.vscp_class or 0},{self.vscp_type or 0},{guid}"

    def mask(self) -> Pattern:
        """Return the mask that compares the fields which are given, and no others."""
        return Pattern(
            priority=None if self.priority is None else 7,
            vscp_class=None if self.vscp_class is None else 0xFFFF,
            vscp_type=None if self.vscp_type is None else 0xFFFF,
            guid=None if self.guid is None else NO_GUID.replace("0", "F"),
        )


def _number(text: str) -> int:
    return int(text, 0) if text else 0
