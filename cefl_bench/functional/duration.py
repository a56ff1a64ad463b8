"""A time span in the unit that a person would use."""

DAY, HOUR, MINUTE = 86_400, 3_600, 60
"""Seconds."""


def duration(seconds: float) -> str:
    """Seconds with three digits at most: 45 s, 3.5 min, 12 h, and days from two of them on."""
    for least, unit, name in ((2 * DAY, DAY, "d"), (HOUR, HOUR, "h"), (MINUTE, MINUTE, "min")):
        if seconds >= 0.9995 * least:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"
