"""Fetching models from a real local server, and what is said of files that are not as expected."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from detector.models.__main__ import main
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.models import catalogue, download
from hazardcast.vision.models.download import FetchError, fetch
from hazardcast.vision.models.onnx_model import OnnxModel, Weights
from hazardcast.vision.pixels.frame import Frame
from tests.hazardcast.vision.models.networks import network

WEIGHTS = np.random.default_rng(3).bytes(600_000)
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


class Mirror:
    """A web server that holds one file; it may break off, or know no ranges."""

    def __init__(self) -> None:
        self.data, self.ranges, self.break_after = WEIGHTS, True, None
        self.asked: list[str | None] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.answer(self)

            def log_message(self, *_args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        asked = to.headers.get("Range")
        self.asked.append(asked)
        if not to.path.endswith(".onnx"):
            to.send_error(404)
            return
        start = 0
        if asked and self.ranges:
            wanted = re.fullmatch(r"bytes=(\d+)-", asked)
            assert wanted, asked
            start = int(wanted[1])
        if start >= len(self.data):
            to.send_error(416)
            return
        to.send_response(206 if start else 200)
        to.send_header("Content-Length", str(len(self.data) - start))
        to.end_headers()
        part = self.data[start:]
        to.wfile.write(part if self.break_after is None else part[: self.break_after])


@pytest.fixture
def mirror():
    server = Mirror()
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_a_file_is_fetched_with_progress_and_only_once(mirror, tmp_path) -> None:
    seen = []
    path = tmp_path / "cache" / "a.onnx"

    assert fetch(
        f"{mirror.url}/a.onnx", path, sha256=DIGEST, progress=lambda *now: seen.append(now)
    )
    assert not fetch(f"{mirror.url}/a.onnx", path, sha256=DIGEST)

    assert path.read_bytes() == WEIGHTS
    assert seen[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert len(mirror.asked) == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_connection_is_gone_on_with_where_it_was(mirror, tmp_path) -> None:
    mirror.break_after = 200_000

    fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)

    assert (tmp_path / "a.onnx").read_bytes() == WEIGHTS
    assert mirror.asked == [None, "bytes=200000-", "bytes=400000-"]


def test_a_later_call_goes_on_with_what_an_earlier_one_got(mirror, tmp_path) -> None:
    (tmp_path / "a.onnx.part").write_bytes(WEIGHTS[:123_456])

    fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)

    assert mirror.asked == ["bytes=123456-"]
    assert (tmp_path / "a.onnx").read_bytes() == WEIGHTS


def test_what_came_whole_but_was_not_renamed_is_not_fetched_again(mirror, tmp_path) -> None:
    (tmp_path / "a.onnx.part").write_bytes(WEIGHTS)

    fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)

    assert (tmp_path / "a.onnx").read_bytes() == WEIGHTS


def test_a_server_without_ranges_sends_it_all_again(mirror, tmp_path) -> None:
    mirror.ranges = False
    (tmp_path / "a.onnx.part").write_bytes(b"x" * 1000)

    fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)

    assert (tmp_path / "a.onnx").read_bytes() == WEIGHTS


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(mirror, tmp_path) -> None:
    mirror.data = WEIGHTS[:-1] + b"!"

    with pytest.raises(FetchError, match=f"expected {DIGEST}"):
        fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_cache_that_was_changed_is_refused(mirror, tmp_path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"other")

    with pytest.raises(FetchError, match="remove it"):
        fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)


@pytest.mark.parametrize("path", ["/gone.txt"])
def test_what_the_server_refuses_is_said(mirror, tmp_path, path) -> None:
    with pytest.raises(FetchError, match="404"):
        fetch(mirror.url + path, tmp_path / "a.onnx", sha256=DIGEST)


def test_a_server_that_is_not_there_is_one_clear_error(mirror, tmp_path) -> None:
    mirror.server.shutdown()
    mirror.server.server_close()

    with pytest.raises(FetchError, match="refused"):
        fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)


def test_a_connection_that_always_breaks_keeps_what_came(mirror, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    mirror.break_after = 1000

    with pytest.raises(FetchError, match="2000 bytes are kept"):
        fetch(f"{mirror.url}/a.onnx", tmp_path / "a.onnx", sha256=DIGEST)


@pytest.fixture
def deployment(mirror, tmp_path, monkeypatch):
    """A deployment whose mirror is the local one, with one entry of the catalogue."""
    entry = catalogue.Entry("tiny", "https://nowhere.invalid/tiny.onnx", DIGEST, None, 416, 1.0)
    for module in ("hazardcast.vision.models.catalogue", "hazardcast.vision.models.cache", "detector.models.__main__"):  # fmt: skip
        monkeypatch.setattr(f"{module}.ENTRIES", (entry,))
    monkeypatch.setenv("HAZARDCAST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HAZARDCAST_MODELS_URL", mirror.url + "/")
    return tmp_path


def test_a_model_is_fetched_by_name_from_the_mirror(deployment, capsys) -> None:
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["path"] is None

    assert main(["fetch", "tiny", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert (deployment / "models" / "tiny.onnx").read_bytes() == WEIGHTS
    assert told["fetched"] is True
    assert main(["list"]) == 0
    assert str(deployment / "models" / "tiny.onnx") in capsys.readouterr().out


def test_names_that_there_are_none_of_are_one_clear_line(deployment, capsys) -> None:
    assert main(["fetch", "huge"]) == 2
    assert "there are tiny" in capsys.readouterr().err
    assert main(["check", "tiny"]) == 2
    assert "hazardcast models fetch tiny" in capsys.readouterr().err


def test_the_catalogue_is_apache_licensed_pinned_and_over_https() -> None:
    assert len({entry.name for entry in catalogue.ENTRIES}) == len(catalogue.ENTRIES) >= 4
    for entry in catalogue.ENTRIES:
        assert entry.licence == "Apache-2.0"
        assert entry.url.startswith("https://")
        assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)


def test_check_says_what_a_model_is(assets, capsys) -> None:
    model = assets / "models" / "deimv2_atto_coco_int8.onnx"

    assert main(["check", str(model), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["layout"], told["width"], told["height"]) == ("detr", 320, 320)
    assert (told["classes"], told["road_users"], told["provider"]) == (80, 6, "cpu")
    assert told["median_ms"] > 0


@pytest.mark.parametrize("name", ["roadside", "background"])
def test_a_model_that_is_built_in_can_be_checked_too(name: str, capsys) -> None:
    assert main(["check", name, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["built_in"] == name
    assert told["median_ms"] > 0


def yolov8_of(classes: int, car: int) -> np.ndarray:
    out = np.zeros((1, 4 + classes, 84), np.float32)  # 64 px: 64 + 16 + 4 cells
    out[0, :4, 7] = [32, 32, 20, 10]
    out[0, 4 + car, 7] = 0.9
    return out


FRAME = Frame(np.zeros((64, 64, 3), np.uint8), 0.0, 0)


def test_other_classes_are_understood_where_the_file_names_them(tmp_path) -> None:
    names = "{0: 'tree', 1: 'Car', 2: 'truck'}"
    path = network(tmp_path / "three.onnx", {"output0": yolov8_of(3, 1)}, names=names)

    weights = Weights(path, threads=1)
    found = OnnxModel(weights).detect(FRAME)

    assert (weights.classes.count, weights.layout.name) == (3, "yolov8")
    assert found.labels.tolist() == [Label.CAR]
    assert found.xyxy.tolist() == [[22, 27, 42, 37]]


def test_a_file_beside_the_model_names_its_classes_and_layout(tmp_path) -> None:
    path = network(tmp_path / "own.onnx", {"output0": yolov8_of(2, 0)})
    said = {"layout": "yolov8", "classes": ["lorry", "sign"], "input": {"rgb": False, "pad": 0}}
    path.with_suffix(".json").write_text(json.dumps(said))

    weights = Weights(path, threads=1)

    assert OnnxModel(weights).detect(FRAME).labels.tolist() == [Label.TRUCK]
    assert (weights.layout.input.rgb, weights.layout.input.pad) == (False, 0)
    assert weights.layout.input.std == (255.0, 255.0, 255.0)


@pytest.mark.parametrize(
    ("outputs", "names", "problem"),
    [
        ({"output0": yolov8_of(3, 1)}, "", r"output0\[1, 7, 84\] for 64x64 and 80 classes; understood are YOLOX"),
        ({"output0": yolov8_of(2, 1)}, "{0: 'cat', 1: 'dog'}", "cat, dog: no vehicle among them; expected COCO"),
        ({"logits": np.zeros((1, 1000), np.float32)}, "", r"logits\[1, 1000\]"),
    ],
)  # fmt: skip
def test_networks_that_are_others_than_expected_say_what_was(
    tmp_path, outputs, names, problem
) -> None:
    path = network(tmp_path / "other.onnx", outputs, names=names)

    with pytest.raises(ConfigError, match=problem) as caught:
        Weights(path, threads=1)
    assert str(path) in str(caught.value)


def test_a_network_that_takes_no_picture_is_refused(tmp_path) -> None:
    path = network(tmp_path / "text.onnx", {"output0": yolov8_of(80, 2)}, input_=(1, 16))

    with pytest.raises(ConfigError, match=r"takes images\[1, 16\].*expected one float image"):
        Weights(path, threads=1)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("{", "not JSON"), ("[]", "own.json"), ('{"layuot": "yolox"}', "layuot"),
        ('{"layout": "yolox"}', "expected yolox"), ('{"layout": "rcnn"}', "layout"),
        ('{"classes": []}', "classes"), ('{"input": {"std": [0, 1, 1]}}', "input.std"),
        ('{"input": {"pad": 300}}', "input.pad"), ('{"classes": ["cat"]}', "no vehicle"),
    ],
)  # fmt: skip
def test_a_wrong_file_beside_a_model_is_an_error_that_names_the_place(
    tmp_path, said, problem
) -> None:
    path = network(tmp_path / "own.onnx", {"output0": yolov8_of(80, 2)})
    path.with_suffix(".json").write_text(said)

    with pytest.raises(ConfigError, match=problem):
        Weights(path, threads=1)


def test_an_execution_provider_that_is_not_there_is_named(tmp_path) -> None:
    path = network(tmp_path / "a.onnx", {"output0": yolov8_of(80, 2)})

    assert Weights(path, threads=1, provider="auto").provider in ("cpu", "cuda", "rocm")
    with pytest.raises(
        ConfigError, match=r"HAZARDCAST_MODEL_PROVIDER: tensorrt: .* has only .*cpu"
    ):
        Weights(path, threads=1, provider="tensorrt")


def test_the_provider_that_was_chosen_is_logged(tmp_path, caplog) -> None:
    caplog.set_level("INFO", logger="hazardcast.vision.models.onnx_model")

    Weights(network(tmp_path / "a.onnx", {"output0": yolov8_of(80, 2)}), threads=2)

    (line,) = [one for one in caplog.records if one.message == "model loaded"]
    assert (line.provider, line.threads, line.layout) == ("cpu", 2, "yolov8")


@given(st.binary(max_size=300))
def test_no_bytes_are_taken_for_a_network(data) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(data)
        with pytest.raises(ConfigError):
            Weights(path, threads=1)
