"""What the packets of a video file tell, without its frames being decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import av

from cefl_bench.media.display import AS_STORED, display_of
from cefl_bench.media.h264 import INSTANT_REFRESH, PARAMETERS, length_size_of, units_of
from cefl_bench.media.videos import OpenVideo, open_video


@dataclass(frozen=True)
class Survey:
    """A video file, as its packets tell it."""

    container: str
    """The format, as FFmpeg names it."""
    codec: str
    num_packets: int
    num_places: int
    """As `num_packets`, with the places of frames that were left out, where the format has such."""
    stated_places: int
    """How many the header of the file promises; 0 where it promises none."""
    about: int
    """How many its duration and its frame rate promise; 0 where they are unknown."""
    num_joints: int
    """Packets at which a stream that was put together, or has gaps, goes on."""
    is_plain: bool
    """Whether a decoder that counts packets counts frames: the header states the true number of packets, each is one
    frame that is shown as it is stored, the first is shown first and is the only key frame."""


def survey(path: str | Path) -> Survey:
    """Read the packets of a video file.

    Raises:
        UserError: naming the file, when there is none, it has no video in it, or ends inside a frame.
    """
    with open_video(path) as video:
        packets = list(video.packets())
        full = [packet for packet in packets if packet.size]
        container, stream = video.container, video.stream
        seconds = (container.duration or 0) / av.time_base
        return Survey(
            container=container.format.name,
            codec=stream.codec_context.name,
            num_packets=len(full),
            num_places=_num_places(container.format.name, full),
            stated_places=stream.frames,
            about=round(seconds * float(stream.average_rate or 0)),
            num_joints=sum(packet.is_corrupt for packet in full),
            is_plain=_is_plain(video, packets, full),
        )


def _num_places(container: str, packets: Sequence[av.Packet]) -> int:
    """For how many frames a file has a place: in AVI, also for those that a recorder left out, which have no bytes."""
    times = [packet.dts for packet in packets if packet.dts is not None]
    if container != "avi" or len(times) < 2:
        return len(packets)
    return max(times) + round(median(later - earlier for earlier, later in pairwise(times)))


def _is_plain(video: OpenVideo, packets: Sequence[av.Packet], full: Sequence[av.Packet]) -> bool:
    only_end_is_empty = len(packets) == len(full) + 1
    return (
        len(video.container.streams.video) == 1
        and only_end_is_empty
        and video.stream.frames in (0, len(full))
        and _first_is_the_key(full)
        and _each_has_a_picture(video.stream, full)
        and _is_shown_as_stored(video, packets)
    )


def _first_is_the_key(packets: Sequence[av.Packet]) -> bool:
    times = [packet.pts for packet in packets if packet.pts is not None]
    key_frames = [packet.is_keyframe for packet in packets]
    if not packets or len(times) < len(packets):
        return False
    return (
        key_frames[0]
        and not any(key_frames[1:])
        and min(times) == times[0]
        and len(set(times)) == len(times)
        and not any(packet.is_discard or packet.is_corrupt for packet in packets)
    )


def _each_has_a_picture(stream: av.VideoStream, packets: Sequence[av.Packet]) -> bool:
    """Whether each packet holds one picture, as far as the codec lets us see; encoders leave pictures out."""
    if stream.codec_context.name != "h264":
        return True
    length_size = length_size_of(stream)
    if not length_size:
        return False
    for place, packet in enumerate(packets):
        types, num_pictures = units_of(packet, length_size)
        # the parameters of another sequence would change the size of a frame, or what may be left out
        if num_pictures != 1 or (PARAMETERS in types if place else INSTANT_REFRESH not in types):
            return False
    return True


def _is_shown_as_stored(video: OpenVideo, packets: Sequence[av.Packet]) -> bool:
    """Whether no display matrix turns the first frame."""
    for packet in packets:
        for frame in video.decoded(packet):
            return display_of(frame) == AS_STORED
    return False
