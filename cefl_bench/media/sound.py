"""The sound of a video, taken over into another file: as it is where browsers play it, else as AAC."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av

COPIED = {"aac", "mp3", "opus", "flac"}
"""Codecs that browsers play in MP4. Others, such as AC-3 and ALAC, would be silent there without an error."""
AAC_BITS = 128_000
AAC_FRAME = 1024
"""Samples that an AAC encoder takes at a time."""
AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
USUAL_SOUND_RATE = 48000


def sound_of(container: av.container.InputContainer) -> av.AudioStream | None:
    """The sound of a file; None where there is none, or none that can be decoded."""
    best = container.streams.best("audio")
    return best if isinstance(best, av.AudioStream) and best.codec_context is not None else None


class CannotWrite(Exception):
    """FFmpeg could not write a file, and why; not an error of the file that is read meanwhile."""


@contextmanager
def writing() -> Iterator[None]:
    """Encode and write in it what goes into a file. Raises: CannotWrite."""
    try:
        yield
    except av.FFmpegError as error:
        raise CannotWrite(error.strerror or str(error)) from None


class KeptSound:
    """Takes the packets of a sound stream over into another file; those that come before its picture wait."""

    def __init__(self, source: av.AudioStream) -> None:
        self._source = source
        self._waiting: list[av.Packet] = []
        self._copied = source.codec_context.codec.canonical_name in COPIED
        self._container: av.container.OutputContainer | None = None
        self._origin = 0.0

    def begin(self, container: av.container.OutputContainer, origin: float) -> None:
        """The file has a picture, of which nothing is written yet.

        Args:
            origin: what is 0 in it, in seconds by the clock of the old one.
        """
        self._container, self._origin = container, origin
        if self._copied:
            self._target = container.add_stream_from_template(self._source)
        else:
            self._target = _aac_stream(container, self._source)
            context = self._target.codec_context
            self._resampler = av.AudioResampler("fltp", context.layout, context.sample_rate, AAC_FRAME)
        for packet in self._waiting:
            self._pass_on(packet)
        self._waiting = []

    def take(self, packet: av.Packet) -> None:
        """The next packet of the sound."""
        if self._container is None:
            self._waiting.append(packet)
        else:
            self._pass_on(packet)

    def finish(self) -> None:
        """All packets have been taken."""
        if not self._copied and self._container is not None:
            self._encode(None)
            with writing():
                self._container.mux(self._target.encode())

    def _pass_on(self, packet: av.Packet) -> None:
        assert self._container is not None, "begun before"
        if packet.dts is None and packet.pts is None:
            return  # the end
        if self._copied:
            shift = self._ticks(packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._target
            with writing():
                self._container.mux(packet)
            return
        try:
            frames = packet.decode()
        except av.InvalidDataError:  # a damaged piece of the sound is left out
            return
        for frame in frames:
            assert isinstance(frame, av.AudioFrame)
            if frame.pts is not None:
                frame.pts -= self._ticks(frame.time_base)
            self._encode(frame)

    def _encode(self, frame: av.AudioFrame | None) -> None:
        assert self._container is not None, "begun before"
        for resampled in self._resampler.resample(frame):
            with writing():
                self._container.mux(self._target.encode(resampled))

    def _ticks(self, time_base: Fraction | None) -> int:
        return round(self._origin / float(time_base)) if time_base else 0


def _aac_stream(container: av.container.OutputContainer, source: av.AudioStream) -> av.AudioStream:
    rate = source.codec_context.sample_rate
    stream = container.add_stream("aac", rate=rate if rate in AAC_RATES else USUAL_SOUND_RATE)
    stream.codec_context.layout = "mono" if source.codec_context.channels == 1 else "stereo"
    stream.codec_context.bit_rate = AAC_BITS
    return stream
