"""Who may import whom, and how big things may grow: held here, not wished for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SERVICES = {
    path.name: path
    for path in (ROOT / "services").glob("*/*")
    if (path / "__init__.py").exists()
}  # fmt: skip
LIBRARY = ROOT / "hazardcast"
SOURCES = sorted(
    path for root in (LIBRARY, *SERVICES.values()) for path in root.rglob("*.py")
)  # fmt: skip

EDGES: dict[str, set[str]] = {
    "paho": {"hazardcast/mqtt/bus.py"},
    "cv2": {
        "camera/drawing.py",
        "detector/evidence/drawing.py",
        "hazardcast/vision/pixels/sources.py",
        "hazardcast/vision/pixels/image.py",
    },
    "onnxruntime": {
        "hazardcast/vision/models/onnx_model.py",
        "hazardcast/vision/models/bundled.py",
    },
    "cyclonedds": {"vehicle_agent/ros2.py"},
    "pycrate_asn1dir": {"alerter/exports/denm_uper.py"},
    "subprocess": {
        "hazardcast/service/processes.py",
        "camera/encoder.py",
        "recorder/ffmpeg.py",
        "clipper/ffmpeg.py",
    },
    "socket": {
        "hazardcast/mqtt/bus.py",
        "hazardcast/service/limited_http.py",
        "hazardcast/net/multicast.py",
        "tools/hazardcast_tools/checks/multicast_check.py",
        "hazardcast/net/ports.py",
        "hazardcast/media/redirect.py",
        "hazardcast/media/rtsp_challenge.py",
        "alerter/air/ear.py",
        "alerter/air/transmitter.py",
        "alerter/air/unicast.py",
        "vehicle_agent/gpsd.py",
        "vehicle_agent/radio.py",
    },
}
"""Outside thing → the modules made for it; nobody else may import it."""

CLOCK_CALLS = {"time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "datetime.now", "datetime.utcnow", "datetime.today"}  # fmt: skip
CLOCK_MODULES = {"hazardcast/machine/clock.py", "hazardcast/testing.py"}
ENVIRONMENT_MODULES = {"hazardcast/config/settings.py"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 45
MEDIAN_FUNCTION = 10


def name_of(path: Path) -> str:
    """`hazardcast/mqtt/bus.py`, `recorder/service.py`."""
    for package, root in {"hazardcast": LIBRARY, **SERVICES}.items():
        if path.is_relative_to(root):
            return f"{package}/{path.relative_to(root).as_posix()}"
    raise AssertionError(path)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno} relative import"
            yield node.module or ""


def functions() -> Iterator[tuple[str, int]]:
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (
                    f"{name_of(path)}:{node.lineno} {node.name}",
                    (node.end_lineno or 0) - node.lineno + 1,
                )


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_run_down(path: Path) -> None:
    package = name_of(path).split("/")[0]
    forbidden = set(SERVICES) - {package}

    roots = {module.split(".")[0] for module in imports(path)}

    assert not roots & forbidden, "a service imports another, or the library a service"


@pytest.mark.parametrize("outside", sorted(EDGES))
def test_an_outside_thing_is_touched_only_by_the_module_made_for_it(outside: str) -> None:
    users = {
        name_of(path)
        for path in SOURCES
        if any(module.split(".")[0] == outside for module in imports(path))
    }

    assert users <= EDGES[outside]


def test_only_settings_read_the_environment() -> None:
    readers = {
        name_of(path)
        for path in SOURCES
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }

    assert readers <= ENVIRONMENT_MODULES


def test_only_the_clock_reads_the_time() -> None:
    readers = {
        f"{name_of(path)}:{node.lineno}"
        for path in SOURCES
        if name_of(path) not in CLOCK_MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).removeprefix("datetime.") in CLOCK_CALLS
    }

    assert not readers


DURABLE = "hazardcast/machine/durable.py"
RENAMERS = {"alerter/doors/drop_folder.py", "vehicle_agent/alert_log.py"}
"""What they move is no state: a file that was taken, a log that is full."""


def writes_for_good(path: Path) -> bool:
    """Whether a module flushes, locks or renames: `Path.replace` takes one argument, others more."""
    return any(
        ast.unparse(node.func) in {"os.fsync", "os.rename", "os.replace", "fcntl.flock"}
        or getattr(node.func, "attr", "") == "rename"
        or (getattr(node.func, "attr", "") == "replace" and len(node.args) == 1 and not node.keywords)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
    )  # fmt: skip


def test_what_must_outlive_a_power_cut_is_written_by_one_module() -> None:
    writers = {name_of(path) for path in SOURCES if writes_for_good(path)}

    assert writers == {DURABLE, *RENAMERS}


def test_no_file_outgrows_a_readers_patience() -> None:
    long = {
        name_of(path): lines
        for path in SOURCES
        if (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
    }

    assert not long


def test_functions_stay_small() -> None:
    lengths = dict(functions())

    assert not {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert sorted(lengths.values())[len(lengths) // 2] <= MEDIAN_FUNCTION


def test_the_project_speaks_only_of_itself() -> None:
    foreign = re.compile("|".join((ROOT / ".ci" / "foreign").read_text("utf-8").split("\n")[:-1]))
    checked = [path for path in ROOT.rglob("*") if path.suffix in {".py", ".md", ".yaml", ".yml", ".toml", ".json"} and not {".venv", ".git", "tests", ".ci", "node_modules", "data"} & set(path.relative_to(ROOT).parts)]  # fmt: skip

    assert not [str(path) for path in checked if foreign.search(path.read_text(encoding="utf-8"))]
