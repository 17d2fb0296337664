"""Versions from times: RFC 3339 in, strings that compare as the times do out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
).fullmatch


def version(written: str | None) -> tuple[str, bool] | None:
    """The version that a time stands for, and whether it says more than the second.

    Upper-case `T` and `Z`, up to nine digits of fraction, an offset below a day, a year from 1 to 9999, no 60th second:
    the times that the relay takes for an envelope's `sequence`. `None` for any other.
    """
    match = _RFC_3339(written) if written is not None else None
    if match is None:
        return None
    date_time, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(date_time)
        if sign is not None:
            if int(hours) > 23 or int(minutes) > 59:
                return None
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            date_time = (moment - offset if sign == "+" else moment + offset).isoformat()
    except (ValueError, OverflowError):
        return None
    digits = (fraction or "").ljust(9, "0")
    return f"{date_time.replace('-', '').replace(':', '')}.{digits}Z", digits != "000000000"
