"""An RTSP camera for tests, as separate a program as a real camera is.

Needs GStreamer's RTSP server and its Python bindings (`gir1.2-gst-rtsp-server-1.0`, `python3-gi`), so
it runs on the system's Python, not in the project's environment. It prints `rtsp://…` once it
listens. With `--times FILE` it writes one line a frame: wall clock at which the frame went to the
network, and its size in bytes.
"""

from __future__ import annotations

import argparse
import sys
import time

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
    "mjpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}
AUDIO = {
    "none": "",
    "aac": " audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=16000,channels=1 "
    "! avenc_aac ! aacparse ! rtpmp4gpay name=pay1 pt=97",
    "pcmu": " audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=8000,channels=1 "
    "! mulawenc ! rtppcmupay name=pay1 pt=0",
}


def pipeline(options: argparse.Namespace) -> str:
    """The GStreamer description of the camera."""
    width, height = options.size.split("x")
    video = VIDEO[options.codec].format(gop=options.gop)
    source = (
        f"videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width={width},"
        f"height={height},framerate={options.fps}/1 ! {video}"
    )
    return f"( {source}{AUDIO[options.audio]} )"


class Camera(GstRtspServer.RTSPMediaFactory):
    """One stream, shared by its viewers; tells when each frame was sent."""

    def __init__(self, description: str, times: str | None) -> None:
        super().__init__()
        self.set_launch(description)
        self.set_shared(True)
        self._times = open(times, "w", buffering=1) if times else None  # noqa: PTH123, SIM115
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: object, media: GstRtspServer.RTSPMedia) -> None:
        if self._times:
            pad = media.get_element().get_by_name_recurse_up("pay0").get_static_pad("sink")
            pad.add_probe(Gst.PadProbeType.BUFFER, self._note)

    def _note(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        self._times.write(f"{time.time():.4f} {info.get_buffer().get_size()}\n")
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
    parser.add_argument("--times", help="file that gets the wall clock of every frame")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    camera = Camera(pipeline(options), options.times)
    if options.account:
        protect(server, camera, options.account)
    server.get_mount_points().add_factory("/camera", camera)
    server.attach(None)
    print(f"rtsp://127.0.0.1:{server.get_bound_port()}/camera", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    sys.exit(main())
