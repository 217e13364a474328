"""An RTSP camera for tests, as separate a program as a real camera is.

Needs GStreamer's RTSP server and its Python bindings (`gir1.2-gst-rtsp-server-1.0`, `python3-gi`), so
it runs on the system's Python, not in the project's environment. It prints `rtsp://…` once it
listens. With `--times FILE` it writes one line a frame: wall clock at which the frame went to the
network, and its size in bytes. With `--clock` every picture carries the wall clock that
`hazardcast.media.burnt_clock` reads, written here a second time and on its own; with `--play FILE` the
pictures are those of an H.264 byte stream with access unit delimiters, over and over.
"""

from __future__ import annotations

import argparse
import os
import re
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

VIDEO = {
    "h264": "x264enc threads=1 tune=zerolatency speed-preset=ultrafast bitrate=600 key-int-max={gop} "
    "! h264parse ! video/x-h264,alignment=au ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast bitrate=600 key-int-max={gop} "
    "! h265parse ! video/x-h265,alignment=au ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "h264-b": "x264enc threads=1 bframes=3 b-adapt=false speed-preset=ultrafast bitrate=600 "
    "key-int-max={gop} ! video/x-h264,profile=main ! h264parse ! video/x-h264,alignment=au "
    "! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265-b": "x265enc speed-preset=ultrafast bitrate=600 key-int-max={gop} option-string=bframes=3 "
    "! h265parse ! video/x-h265,alignment=au ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "h264-intra-refresh": "x264enc threads=1 tune=zerolatency speed-preset=ultrafast bitrate=600 "
    "intra-refresh=true key-int-max={gop} ! h264parse ! video/x-h264,alignment=au "
    "! rtph264pay name=pay0 pt=96",
    "mjpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}
AUDIO = {
    "none": "",
    "aac": " audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=16000,channels=1 "
    "! avenc_aac ! aacparse ! rtpmp4gpay name=pay1 pt=97",
    "pcmu": " audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=8000,channels=1 "
    "! mulawenc ! rtppcmupay name=pay1 pt=0",
}


LOSSY = " ! identity name=pay0 drop-probability={loss}"
CELLS = 80


def pipeline(options: argparse.Namespace) -> str:
    """The GStreamer description of the camera."""
    width, height = options.size.split("x")
    video = VIDEO[options.codec].format(gop=options.gop)
    picture = f"video/x-raw,format=I420,width={width},height={height},framerate={options.fps}/1"
    if options.play:
        video = (
            "h264parse ! video/x-h264,alignment=au ! rtph264pay name=pay0 pt=96 config-interval=-1"
        )
        picture = f"video/x-h264,stream-format=byte-stream,alignment=au,framerate={options.fps}/1"
    own = f'appsrc name=pictures is-live=true format=time max-bytes=20000000 caps="{picture}"'
    drawn = f"videotestsrc is-live=true pattern=ball ! {picture}"
    source = own if options.play or options.clock else drawn
    if options.loss:
        video = video.replace(" name=pay0", "") + LOSSY.format(loss=options.loss)
    return f"( {source} ! {video}{AUDIO[options.audio]} )"


def clock_picture(width: int, height: int, number: int, *, noise: bool = False) -> bytes:
    """A grey I420 picture with a moving bar, and at its top the wall clock of now.

    80 cells: white, black, 44 bits of epoch milliseconds, their CRC-32, black, white.
    """
    wall_ms = round(time.time() * 1000)
    check = zlib.crc32(wall_ms.to_bytes(6, "big"))
    cells = f"10{wall_ms:044b}{check:032b}01"
    strip = bytes(235 if cells[x * CELLS // width] == "1" else 16 for x in range(width))
    rows = max(1, round(width / 60))
    left = number * 7 % (width - 40)
    bar = bytes([110]) * left + bytes([200]) * 40 + bytes([110]) * (width - left - 40)
    plain = bytes([110]) * width
    middle = height // 3
    below = height - middle - 20
    grain = os.urandom(width * 24) if noise else plain * 24
    luma = strip * rows + plain * (middle - rows) + bar * 20 + grain + plain * (below - 24)
    return luma + bytes([128]) * (width * height // 2)


def pictures(options: argparse.Namespace) -> Callable[[int], bytes]:
    """What gives picture number n."""
    if options.play:
        stream = Path(options.play).read_bytes()
        starts = [found.start() for found in re.finditer(rb"\x00\x00\x00\x01\x09", stream)]
        units = [stream[a:b] for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)]
        return lambda number: units[number % len(units)]
    width, height = (int(part) for part in options.size.split("x"))
    return lambda number: clock_picture(width, height, number, noise=options.noise)


class Camera(GstRtspServer.RTSPMediaFactory):
    """One stream, shared by its viewers; tells when each frame was sent."""

    def __init__(
        self,
        description: str,
        times: str | None,
        *,
        fps: int,
        picture: Callable[[int], bytes] | None = None,
    ) -> None:
        super().__init__()
        self.set_launch(description)
        self.set_shared(True)
        self._times = open(times, "w", buffering=1) if times else None  # noqa: PTH123, SIM115
        self._fps = fps
        self._picture = picture
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: object, media: GstRtspServer.RTSPMedia) -> None:
        if self._picture:
            self._draw(media.get_element().get_by_name_recurse_up("pictures"), self._picture)
        if self._times:
            pad = media.get_element().get_by_name_recurse_up("pay0").get_static_pad("sink")
            pad.add_probe(Gst.PadProbeType.BUFFER, partial(self._note, self._times))

    def _draw(self, source: Gst.Element, picture: Callable[[int], bytes]) -> None:
        """Push a picture at each of its moments; one that is late is left out, as cameras do.

        By the pipeline's own clock: a stamp ahead of it would be held back for good.
        """
        drawn = -1

        def push() -> bool:
            nonlocal drawn
            clock = source.get_clock()
            if clock is None:
                GLib.timeout_add(10, push)
                return False
            running_s = (clock.get_time() - source.get_base_time()) / Gst.SECOND
            number = int(running_s * self._fps + 0.01)
            if number > drawn:
                drawn = number
                buffer = Gst.Buffer.new_wrapped(picture(number))
                buffer.pts = buffer.dts = number * Gst.SECOND // self._fps
                buffer.duration = Gst.SECOND // self._fps
                if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return False
            GLib.timeout_add(max(1, round(((drawn + 1) / self._fps - running_s) * 1000)), push)
            return False

        push()

    @staticmethod
    def _note(times: TextIO, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        times.write(f"{time.time():.4f} {info.get_buffer().get_size()}\n")
        return Gst.PadProbeReturn.OK


def protect(server: GstRtspServer.RTSPServer, factory: Camera, account: str) -> None:
    """Ask viewers for `user:password`."""
    user, password = account.split(":", 1)
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    factory.add_role_from_structure(
        Gst.Structure.from_string(
            "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
        )[0]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", default="0")
    parser.add_argument("--codec", choices=VIDEO, default="h264")
    parser.add_argument("--audio", choices=AUDIO, default="none")
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--gop", type=int, default=15)
    parser.add_argument("--account", help="user:password")
    parser.add_argument("--clock", action="store_true", help="burn the wall clock in")
    parser.add_argument("--noise", action="store_true", help="make the pictures of --clock large")
    parser.add_argument("--play", help="file of H.264 access units")
    parser.add_argument("--udp-only", action="store_true", help="refuse RTP over TCP")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets never sent")
    parser.add_argument("--times", help="file that gets the wall clock of every frame")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    drawn = pictures(options) if options.play or options.clock else None
    camera = Camera(pipeline(options), options.times, fps=options.fps, picture=drawn)
    if options.udp_only:
        camera.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if options.account:
        protect(server, camera, options.account)
    server.get_mount_points().add_factory("/camera", camera)
    server.attach(None)
    print(f"rtsp://127.0.0.1:{server.get_bound_port()}/camera", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
