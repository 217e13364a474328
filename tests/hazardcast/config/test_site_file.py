"""`cameras.yaml` as people write it: an error names the line; the published schema agrees."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from hazardcast.config import site, yaml_lines
from hazardcast.contract.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "schemas" / "cameras.json").read_text())
ONE = "cameras:\n  a: {url: x.mp4}\n"


def load(folder: Path, text: str) -> site.SiteConfig:
    path = folder / "cameras.yaml"
    path.write_text(text)
    return site.load(path)


def refusal(folder: Path, text: str) -> str:
    """What is said behind the file's name."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said.removeprefix(str(folder / "cameras.yaml"))


def schema_takes(text: str) -> bool:
    data = yaml_lines.read(text.encode()).data
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(data))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "cameras:\n  a: {url: x}\n  b: {url: y}\n  a: {url: z}",
            ":4: cameras.a: written twice, first in line 2",
        ),
        (
            "cameras:\n  a:\n    url: x\n    loop: no\n    url: y",
            ":5: cameras.a.url: written twice, first in line 3",
        ),
        ("cameras: [", ":1: not YAML"),
        ("", ": expected a mapping with `site` and `cameras`; the file is empty"),
        ("# words only\n", ": expected a mapping with `site` and `cameras`; the file is empty"),
        ("- a", ":1: expected a mapping with `site` and `cameras`"),
        ("defaults: 5\n" + ONE, ":1: defaults: expected a mapping"),
        ("x: !!python/name:os.system\n", ":1: x: the tag"),
    ],
)
def test_what_is_no_configuration_is_told_with_its_line(
    text: str, said: str, tmp_path: Path
) -> None:
    assert refusal(tmp_path, text).startswith(said)


BAD = {
    "site: {station_id: true}\n" + ONE: ":1: site.station_id: expected a number, got a boolean",
    "site: {nam: x}\n" + ONE: ":1: site.nam: unknown key; did you mean 'name'?",
    "default: {road: x}\n" + ONE: ":1: default: unknown key; did you mean 'defaults'?",
    "camera:\n  a: {url: x}": ":1: cameras: Field required; did you mean it by 'camera'?",
    "site:\n  name: x": ":1: cameras: Field required",
    "cameras: [a]": ":1: cameras: expected a mapping",
    "cameras:\n  a:": ":2: cameras.a: expected a mapping",
    "cameras:\n  a: {url: }": ":2: cameras.a.url: nothing stands here",
    "cameras:\n  A1: {url: x}": ":2: cameras.A1: a camera id is made of",
    "cameras:\n  a:\n    road: x": ":2: cameras.a.url: Field required",
    "cameras:\n  a:\n    ulr: x": ":3: cameras.a.url: Field required; did you mean it by 'ulr'?",
    "cameras:\n  a:\n    url: x\n    zones: {ignor: []}": ":4: cameras.a.zones.ignor: unknown key; did you mean 'ignore'?",
    "cameras:\n  a:\n    url: x\n    segment_s: true": ":4: cameras.a.segment_s: expected a number",
    "cameras:\n  a:\n    url: x\n    distance_m: 1:30": ":4: cameras.a.distance_m: Input should be",
    "cameras:\n  a:\n    url: x\n    loop: 1": ":4: cameras.a.loop: Input should be a valid boolean",
    "cameras:\n  a: {url: x, zones: {road: [[0, 0],\n    [1, 0], [1, 2]]}}": ":3: cameras.a.zones.road.2.1",
    "defaults:\n  segment_s: 900\n" + ONE: ":2: cameras.a.segment_s: Input should be less",
    "cameras:\n  a: {url: x, credentials: 'me:s3cret'}": ":2: cameras.a.credentials: expected the name of a variable",
    "cameras:\n  a: {url: x, detect_url: y.mp4}": ":2: cameras.a.detect_url: use rtsp or http",
    "cameras:\n  a: {url: 'rtsp://me:pw@h/x'}": ":2: cameras.a.url: credentials do not belong",
    "cameras:\n  a: {url: 'rtsp:///x'}": ":2: cameras.a.url: the address names no host",
    "cameras:\n  a: {url: 'rtsp:/h/x'}": ":2: cameras.a.url: the address must begin with rtsp://",
    "cameras:\n  a: {url: 'rtsp://h:0/x'}": ":2: cameras.a.url: the port is no number",
    "cameras:\n  a: {url: 'srt://h:1'}": ":2: cameras.a.url: srt:// is not understood",
    "cameras:\n  a: {url: ''}": ":2: cameras.a.url: the address is empty",
    "cameras:\n  a: {url: 'C:\\x.mp4'}": ":2: cameras.a.url: a Windows path",
    "cameras:\n  a: {url: 'demo://volcano'}": ":2: cameras.a.url: no drawn scene",
    "cameras:\n  a: {url: 'demo://fire?impact=3'}": ":2: cameras.a.url: a drawn scene takes",
    "cameras:\n  a: {url: 'v4l2://dev/video0'}": ":2: cameras.a.url: a device is written",
}


@pytest.mark.parametrize("text", BAD)
def test_a_wrong_key_or_value_is_told_with_its_line_and_the_schema_refuses_it_too(
    text: str, tmp_path: Path
) -> None:
    assert refusal(tmp_path, text).startswith(BAD[text])
    assert not schema_takes(text)


GOOD = [
    ONE,
    "cameras: {}",
    "defaults:\n" + ONE,
    "defaults: {url: x.mp4, road: r}\ncameras:\n  a: {}\n",
    "site: {station_id: 0010, name: 교차로, position: {lat_deg: 37, lon_deg: 127}}\n" + ONE,
    "cameras:\n  no: {url: 'demo://fire?impact_s=3'}\n  017: {url: 'RTSP://[::1]:554/x'}\n",
    "cameras:\n  a: {url: ' rtsp://h/x ', detect_url: 'http://h?x=1', credentials: CAM_A}\n",
    "cameras:\n  a: {url: 'file:///a b#1.mp4', loop: no, road: ~}\n",
    "cameras:\n  a: {url: '한글 #1?.mp4'}\n  b: {url: 'v4l2:///dev/video0'}\n",
    "cameras:\n  a: &a {url: 12:30.mp4, heading_deg: 0}\n  b: {<<: *a, heading_deg: 1e2}\n",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_the_reader_takes_the_schema_takes(text: str, tmp_path: Path) -> None:
    load(tmp_path, text)

    assert schema_takes(text)


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/compose/**/cameras.yaml")), ids=str)
def test_files_of_deployments_satisfy_the_schema(path: Path) -> None:
    assert site.load(path).cameras
    assert schema_takes(path.read_text())


def test_the_shipped_file_satisfies_the_schema_and_names_it() -> None:
    path = ROOT / "config" / "cameras.yaml"
    first = path.read_text().splitlines()[0]

    assert schema_takes(path.read_text())
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == ROOT / "schemas" / "cameras.json"


def test_a_text_is_what_was_written_where_a_text_belongs(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "site: {name: no, road: 007, station_id: 0010}\ndefaults: {road: 1e3}\n"
        "cameras:\n  no: {url: 2024-01-01}\n  017: {url: 0x1F, road: on}\n",
    )

    assert (config.site.name, config.site.road, config.site.station_id) == ("no", "007", 10)
    assert {name: (one.url, one.road) for name, one in config.cameras.items()} == {
        "no": ("2024-01-01", "1e3"),
        "017": ("0x1F", "on"),
    }


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1e999", "nan", "9" * 5000])
def test_a_number_that_is_none_is_refused(number: str, tmp_path: Path) -> None:
    text = f"cameras:\n  a:\n    url: x\n    retention_gb: {number}\n"

    assert refusal(tmp_path, text).startswith(":4: cameras.a.retention_gb: ")


def test_a_key_with_a_line_end_in_it_is_told_in_one_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'cameras:\n  "a\\nb": {url: x}').startswith(":2: cameras.a b: ")


def test_a_password_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    for entry in ("credentials: 'me:s3cret'", "detect_url: 'rtsp://me%3As3cret%40h/x'"):
        assert "s3cret" not in refusal(tmp_path, f"cameras:\n  a: {{url: 'rtsp://h/x', {entry}}}")


def test_a_folder_in_the_files_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=f"{tmp_path}: a folder where a file is expected; move it"
    ):
        site.load(tmp_path)
