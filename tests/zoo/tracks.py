"""What a viewer of an RTSP camera is sent, packet by packet, with the moment at which each is due."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from tests.zoo import coded, rtp
from tests.zoo.coded import Packet
from tests.zoo.film import Film
from tests.zoo.manner import SOUNDS, Rtsp

VIDEO_HZ = 90_000
REPORT_EVERY_S = 2.0
METADATA_EVERY_S = 0.5
PCM_BYTES = 160
LEAST_NUMBER = 100
"""Sequence numbers begin anywhere, and stay below 2¹⁶ for long here."""
_XML = b'<?xml version="1.0"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"/>'


@dataclass(frozen=True)
class Due:
    """A packet for the network."""

    at_s: float
    """Since the film's beginning."""
    payload: bytes
    shown_s: float
    mark: bool


@dataclass(frozen=True)
class Track:
    """One `m=` of the description."""

    media: str
    kind: int
    lines: tuple[str, ...]
    hz: int
    source: int

    def described(self, number: int) -> str:
        lines = (f"m={self.media} 0 RTP/AVP {self.kind}", *self.lines, f"a=control:track{number}")
        return "".join(f"{line}\r\n" for line in lines)


def video_track(film: Film, manner: Rtsp, source: int) -> Track:
    codec, rate = coded.codec_of(film), f"90000\r\na=framerate:{film.fps:g}"
    if codec == "mjpeg":
        return Track("video", 26, (f"a=rtpmap:26 JPEG/{rate}",), VIDEO_HZ, source)
    if codec == "mpeg4":
        config = coded.video(film)[0].data.partition(b"\x00\x00\x01\xb6")[0].partition(b"\x00\x00\x01\xb3")[0]  # fmt: skip
        how = f"a=fmtp:96 profile-level-id=1;config={config.hex().upper()}"
        return Track("video", 96, (f"a=rtpmap:96 MP4V-ES/{rate}", how), VIDEO_HZ, source)
    sets = [base64.b64encode(one).decode() for one in coded.sets_of(film)]
    if codec == "hevc":
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        sprop = ";".join(f"{name}={one}" for name, one in zip(names, sets, strict=True))
        told = (f"a=fmtp:96 {sprop}",) if manner.sprop else ()
        return Track("video", 96, (f"a=rtpmap:96 H265/{rate}", *told), VIDEO_HZ, source)
    sprop = f";sprop-parameter-sets={','.join(sets)}" if manner.sprop else ""
    told = (f"a=fmtp:96 packetization-mode=1{sprop}",)
    return Track("video", 96, (f"a=rtpmap:96 H264/{rate}", *told), VIDEO_HZ, source)


def sound_track(name: str) -> Track:
    if name in {"pcmu", "pcma"}:
        kind = 0 if name == "pcmu" else 8
        return Track("audio", kind, (f"a=rtpmap:{kind} {name.upper()}/8000",), 8000, 0xA0D10)
    if name == "opus":
        return Track("audio", 97, ("a=rtpmap:97 opus/48000/2",), 48_000, 0xA0D10)
    told = (
        "a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;"
        "indexdeltalength=3;config=1408"
    )
    return Track("audio", 97, ("a=rtpmap:97 mpeg4-generic/16000/1", told), 16_000, 0xA0D10)


METADATA = Track("application", 107, ("a=rtpmap:107 vnd.onvif.metadata/90000",), 90_000, 0x3E7A)


def sound_dues(name: str, manner: Rtsp, from_s: float, seconds: float) -> Iterator[Due]:
    until_s = manner.sound_stops_s or seconds
    pieces = coded.sound(SOUNDS[name], seconds)
    if name in {"pcmu", "pcma"}:
        samples = b"".join(piece.data for piece in pieces)
        for at in range(0, len(samples), PCM_BYTES):
            at_s = at / 8000
            if from_s <= at_s < until_s:
                yield Due(at_s, samples[at : at + PCM_BYTES], at_s, mark=False)
        return
    for piece in pieces:
        if from_s <= piece.shown_s < until_s:
            payload = rtp.access_unit(piece.data) if name == "aac" else piece.data
            yield Due(piece.shown_s, payload, piece.shown_s, mark=True)


def metadata_dues(from_s: float, seconds: float) -> Iterator[Due]:
    for number in count():
        at_s = from_s + number * METADATA_EVERY_S
        if at_s > seconds:
            return
        yield Due(at_s, _XML, at_s, mark=True)


def video_dues(film: Film, manner: Rtsp, from_s: float, *, keyless: bool) -> Iterator[Due]:
    """The film from `from_s` on, each picture sent as soon as an encoder could."""
    codec = coded.codec_of(film)
    delay_s = max(packet.shown_s - packet.decoded_s for packet in coded.video(film))
    began = False
    before_s: float | None = None
    sent = 0
    for number, (packet, other) in enumerate(_both(film, manner)):
        at_s = packet.decoded_s + delay_s
        if at_s < max(from_s, manner.video_after_s) or (keyless and packet.key):
            continue
        began = began or manner.join != "key" or packet.key or keyless
        if not began:
            continue
        shown_s = packet.shown_s
        if manner.same_stamp and number % manner.same_stamp == 0 and before_s is not None:
            shown_s = before_s
        before_s = shown_s
        payloads = payloads_of(packet, codec, manner)
        for place, payload in enumerate(payloads):
            sent += 1
            is_last = place == len(payloads) - 1
            lost = manner.lose and sent % manner.lose == 0 and not packet.key
            if not (lost and other is None):
                yield Due(at_s, payload, shown_s, mark=is_last and manner.marks)


def _both(film: Film, manner: Rtsp) -> Iterator[tuple[Packet, Film | None]]:
    """The pictures, of another film from some moment on."""
    at_s, other = manner.then or (float("inf"), None)
    yield from ((packet, None) for packet in coded.video(film) if packet.decoded_s < at_s)
    if other is not None:
        yield from ((packet, other) for packet in coded.video(other) if packet.decoded_s >= at_s)


def payloads_of(packet: Packet, codec: str, manner: Rtsp) -> list[bytes]:
    if codec == "mjpeg":
        return rtp.jpeg(packet.data, most=manner.most)
    if codec == "mpeg4":
        return rtp.whole(packet.data, most=manner.most)
    units = coded.units_of(packet.data, codec)
    if not manner.inband:
        units = rtp.without_sets(units, codec)
    if codec == "hevc":
        return rtp.hevc(units, most=manner.most)
    more = [rtp.supplement(500)] * (manner.supplements // 500)
    if manner.turned and packet.key:
        first_slice = next(
            n for n, one in enumerate(units) if coded.unit_type(one, codec) in (1, 5)
        )
        units.insert(first_slice, rtp.TURNED)
    delimiter = [b"\x09\xf0"] if manner.delimiters else []
    return rtp.h264([*delimiter, *more, *units], most=manner.most, together=manner.together)
