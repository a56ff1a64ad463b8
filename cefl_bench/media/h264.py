"""What is in a packet of H.264, without decoding it (ITU-T H.264, 7.3 and 7.4)."""

import av

SLICES, INSTANT_REFRESH, PARAMETERS = (1, 2, 5), 5, 7
"""Types of units: parts of a picture; those of a picture from which on all can be decoded; parameters of a sequence."""


def length_size_of(stream: av.VideoStream) -> int:
    """How many bytes tell the length of a unit before it (ISO/IEC 14496-15, 5.2.4.1); 0 where units are not so told."""
    header = bytes(stream.codec_context.extradata or b"")
    return (header[4] & 3) + 1 if len(header) >= 7 and header[0] == 1 else 0


def units_of(packet: av.Packet, length_size: int) -> tuple[set[int], int]:
    """The types of the units in a packet, and how many pictures begin in it."""
    data = memoryview(packet)
    types: set[int] = set()
    num_pictures = start = 0
    while start + length_size < len(data):
        unit = start + length_size
        size = int.from_bytes(data[start:unit], "big")
        kind = data[unit] & 31
        types.add(kind)
        # the first slice of a picture begins at block 0, which is written as a single 1
        if kind in SLICES and unit + 1 < len(data) and data[unit + 1] & 0x80:
            num_pictures += 1
        start = unit + size
    return types, num_pictures


def has_picture(packet: av.Packet, stream: av.VideoStream) -> bool:
    """Whether a packet that cannot be decoded should have been: filler, delimiters and messages hold no picture."""
    if stream.codec_context.name != "h264" or not (length_size := length_size_of(stream)):
        return True
    return bool(units_of(packet, length_size)[0] & set(SLICES))
