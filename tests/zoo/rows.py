"""The zoo: cameras with manners, each from a report, a standard or a maker's habit."""

from __future__ import annotations

from tests.zoo.film import OTHER_FILM_MS, X264, X264_B, X265, Film
from tests.zoo.manner import Http, Jpegs, Rtsp
from tests.zoo.row import Refusal, Row

MJPEG = ("-c:v", "mjpeg", "-q:v", "4", "-huffman", "default")


def h264(*more: str, **film: object) -> Film:
    return Film((*X264, *more), **film)  # type: ignore[arg-type]


def h264_b(*more: str, **film: object) -> Film:
    return Film((*X264_B, *more), **film)  # type: ignore[arg-type]


def h265(parameters: str, **film: object) -> Film:
    told = f"log-level=error:keyint=15:min-keyint=15:scenecut=0:open-gop=0:{parameters}"
    return Film((*X265, "-x265-params", told), **film)  # type: ignore[arg-type]


def jpeg(fps: float, **film: object) -> Film:
    return Film(MJPEG, fps=fps, kind="nut", pixels="yuvj420p", **film)  # type: ignore[arg-type]


LOW_RATE = Film((*X264, "-g", "2"), fps=1, seconds=60)
SECOND_TRACK = Film(X264, base_ms=OTHER_FILM_MS, size=(320, 240))
OTHER_SIZE = Film(X264, size=(480, 270))

HALF_PICTURES = "half-pictures (interlaced), which this OpenCV cannot convert"

CODECS = (
    Row("plain", "H.264, a key frame each second", Rtsp()),
    Row("one-b-frame", "H.264 with one B-frame", Rtsp(), h264_b("-bf", "1")),
    Row("two-b-frames", "H.264 with two B-frames", Rtsp(), h264_b("-bf", "2", "-x264-params", "b-pyramid=none"), telling=True),
    Row("b-pyramid", "H.264 with three B-frames, pyramid", Rtsp(), h264_b("-bf", "3", "-x264-params", "b-pyramid=normal:b-adapt=0")),
    Row("h265", "H.265 without B-frames", Rtsp(), h265("bframes=0")),
    Row("h265-b-frames", "H.265 with three B-frames, pyramid", Rtsp(), h265("bframes=3:b-adapt=0"), telling=True),
    Row("h265-10-bit", "H.265, 10 bit", Rtsp(), h265("bframes=0", pixels="yuv420p10le")),
    Row("h264-10-bit", "H.264, 10 bit", Rtsp(), h264(pixels="yuv420p10le")),
    Row("mpeg4", "MPEG-4 part 2", Rtsp(), Film(("-c:v", "mpeg4", "-q:v", "3", "-g", "15"))),
    Row("jpeg-rtp", "JPEG by RTP (RFC 2435)", Rtsp(), jpeg(15, size=(320, 176)), telling=True),
    Row("full-range", "H.264, full range (yuvj420p)", Rtsp(), h264(pixels="yuvj420p")),
    Row("interlaced", "H.264, interlaced (MBAFF)", Rtsp(), unwatched=HALF_PICTURES, film=h264("-flags", "+ilme+ildct", "-x264-params", "tff=1")),
    Row("fields", "H.264, pictures as pairs of fields (PAFF)", Rtsp(), Film(fps=5, size=(320, 192), kind="paff"), unwatched=HALF_PICTURES, tolerance_s=0.3),
    Row("4k", "H.264 of 3840x2160", Rtsp(), Film((*X264, "-g", "5"), fps=5, seconds=26, size=(3840, 2160), drawn=(320, 180))),
    Row("1-fps", "one picture a second", Rtsp(), LOW_RATE, tolerance_s=0.3, record_s=10),
    Row("60-fps", "60 pictures a second", Rtsp(), h264("-g", "60", fps=60)),
    Row("odd-size", "H.265 of 426x240, not a multiple of eight", Rtsp(), h265("bframes=0", size=(426, 240))),
    Row("anamorphic", "pixels that are not square (4:3)", Rtsp(), h264(filters="setsar=4/3")),
    Row("rotated", "SEI tells that the picture is turned by 90°", Rtsp(turned=True)),
    Row("slices", "eight slices a picture", Rtsp(), h264("-slices", "8")),
    Row("intra-refresh", "one IDR for ever, then intra refresh", Rtsp(join="own"), h264("-g", "30", "-x264-params", "intra-refresh=1"), leans=True),
    Row("long-gop", "a key frame each 6 s", Rtsp(), h264("-g", "90", seconds=60), record_s=17, segment_s=2, patience_s=45),
    Row("open-gop", "key frames that are no IDR, with B-frames before them", Rtsp(), h264_b("-bf", "2", "-x264-params", "open-gop=1"), leans=True),
    Row("h265-open-gop", "H.265, the same", Rtsp(), h265("bframes=3:b-adapt=0:open-gop=1"), leans=True),
    Row("no-constant-rate", "every third picture comes late", Rtsp(), h264(wavering=True)),
    Row("pauses", "takes no picture for 2.5 s", Rtsp(), h264(pauses=((8.0, 2.5),)), after_s=13),
    Row("away", "takes no picture for 7 s", Rtsp(), h264(pauses=((8.0, 7.0),)), breaks=("stalled", "camera_down"), after_s=22, patience_s=34),
)  # fmt: skip

RTP = (
    Row("no-sprop", "no parameter sets in the description", Rtsp(sprop=False)),
    Row("sets-told-only", "parameter sets in the description only", Rtsp(inband=False), telling=True),
    Row("stap-a", "small units share a packet (STAP-A)", Rtsp(together=True)),
    Row("small-packets", "packets of 300 bytes, all fragmented (FU-A)", Rtsp(most=300)),
    Row("no-marks", "no picture's last packet is marked", Rtsp(marks=False)),
    Row("delimiters", "access unit delimiters", Rtsp(delimiters=True)),
    Row("much-sei", "6 kB of SEI with each picture", Rtsp(supplements=6000)),
    Row("relay", "viewers come in anywhere (a relay), a key frame each 4 s", Rtsp(join="middle"), h264("-g", "60"), patience_s=28),
    Row("no-reports", "no RTCP sender reports", Rtsp(reports=False, sound="pcmu")),
    Row("clock-set", "its clock is set by an hour, told by RTCP", Rtsp(sound="pcmu", clock_set=(9.0, 3600.0)), breaks=("clock_stepped",), after_s=17, patience_s=34),
    Row("clock-set-back", "its clock is set back by 20 s, told by RTCP", Rtsp(sound="pcmu", clock_set=(9.0, -20.0)), breaks=("clock_stepped",), after_s=17, patience_s=34),
    Row("leap", "RTP time leaps ahead by 20 s", Rtsp(leap=(9.0, 20.0)), breaks=("clock_stepped",), after_s=16, patience_s=34, telling=True),
    Row("leap-back", "RTP time leaps back by 20 s", Rtsp(leap=(9.0, -20.0)), breaks=("clock_stepped",), after_s=16, patience_s=34),
    Row("rtp-wrap", "RTP time passes 2³²", Rtsp(stamp=2**32 - 9 * 90_000), after_s=12),
    Row("rtp-wrap-b-frames", "the same with B-frames", Rtsp(stamp=2**32 - 9 * 90_000), h264_b("-bf", "2"), after_s=12),
    Row("fast-clock", "its clock runs 2 % fast", Rtsp(speed=1.02), tolerance_s=0.5),
    Row("same-stamp", "each tenth picture has the stamp of the one before", Rtsp(same_stamp=10)),
    Row("udp-only", "UDP only, TCP is refused (461)", Rtsp(transport="udp"), telling=True),
    Row("mute-tcp", "agrees to TCP and sends nothing there", Rtsp(transport="mute-tcp"), h264(seconds=60), patience_s=45),
    Row("loss", "UDP, each 400th packet is lost", Rtsp(transport="udp", lose=400, most=500), spoils=True),
    Row("redirected", "sends viewers on to another address (302)", Rtsp(redirect=True)),
    Row("digest", "asks for Digest with MD5", Rtsp(account="watcher:geheim")),
    Row("digest-sha-256", "asks for Digest with SHA-256", Rtsp(account="watcher:geheim", digest=("SHA-256",)), refused=Refusal("unauthorised", "asks for Digest with SHA-256")),
    Row("booting", "the first two viewers get no key frame", Rtsp(sprop=False, keyless_viewers=2), h264(seconds=60), patience_s=45),
    Row("new-size", "changes its size on the same connection", Rtsp(then=(10.0, OTHER_SIZE)), breaks=("format_changed",), after_s=15, patience_s=30),
)  # fmt: skip

TRACKS = (
    Row("two-video-tracks", "a second video track", Rtsp(second=SECOND_TRACK)),
    Row("metadata-first", "an ONVIF metadata track stands first", Rtsp(metadata=True)),
    Row("g711", "G.711 sound", Rtsp(sound="pcma")),
    Row("aac", "AAC sound", Rtsp(sound="aac"), telling=True),
    Row("opus", "Opus sound", Rtsp(sound="opus")),
    Row("sound-first", "only sound for the first 9 s", Rtsp(sound="pcmu", video_after_s=9.0), patience_s=34),
    Row("sound-ends", "sound that stops", Rtsp(sound="aac", sound_stops_s=7.0)),
    Row("b-frames-and-sound", "B-frames and sound", Rtsp(sound="aac"), h264_b("-bf", "3")),
)  # fmt: skip

HTTP = (
    Row("http-jpeg-4", "HTTP JPEG, 4 pictures a second", Jpegs(), jpeg(4), tolerance_s=0.3),
    Row("http-jpeg-15", "HTTP JPEG, 15 pictures a second", Jpegs(), jpeg(15), telling=True),
    Row("http-jpeg-30", "HTTP JPEG, 30 pictures a second", Jpegs(), jpeg(30)),
    Row("http-jpeg-odd-size", "HTTP JPEG of 333x187", Jpegs(), jpeg(10, size=(333, 187))),
    Row("http-jpeg-no-lengths", "HTTP JPEG, parts without a length", Jpegs(lengths=False), jpeg(10)),
    Row("http-jpeg-login", "HTTP JPEG, with a password", Jpegs(account="watcher:geheim"), jpeg(10)),
    Row("ts", "MPEG-TS over HTTP", Http()),
    Row("ts-b-frames", "MPEG-TS over HTTP with B-frames and sound", Http(), tolerance_s=0.35, film=h264_b("-bf", "3", sound=("-c:a", "aac"))),
    Row("ts-wrap", "MPEG-TS whose stamps pass 2³³", Http(), tolerance_s=0.35, film=h264_b("-bf", "2", muxer=("-output_ts_offset", f"{2**33 / 90_000 - 9:.3f}")), after_s=12),
    Row("ts-late-tables", "MPEG-TS without programme tables for the first 3 s", Http(tables_after_s=4.0)),
    Row("ts-middle", "MPEG-TS, chunked, viewers come in anywhere", Http(chunked=True, middle=True)),
    Row("flv", "FLV over HTTP", Http(), h264("-bsf:v", "filter_units=remove_types=6", kind="flv", sound=("-c:a", "aac"))),
    Row("fmp4", "fragmented MP4 over HTTP", Http(), h264(kind="mp4", muxer=("-movflags", "frag_keyframe+empty_moov+default_base_moof"))),
)  # fmt: skip

ROWS = (*CODECS, *RTP, *TRACKS, *HTTP)
