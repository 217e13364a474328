"""Who may import whom, and how big things may grow: held here, not wished for."""

from __future__ import annotations

import ast
import functools
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
TOOLS = ROOT / "tools" / "hazardcast_tools"
SOURCES = sorted(
    path for root in (LIBRARY, TOOLS, *SERVICES.values()) for path in root.rglob("*.py")
)  # fmt: skip

HOMES = {"hazardcast": LIBRARY, "tools/hazardcast_tools": TOOLS, **SERVICES}

FLOORS: dict[str, tuple[str, ...]] = {
    "hazardcast": (
        "testing", "vision.models", "vision.pixels", "vision.geometry", "mqtt", "service", "config", "media", "net",
        "receiving", "signing", "machine", "contract",
    ),
    "hazardcast_tools": (
        "__main__", "generate", "cli", "kpi", "demo", "checks", "stack", "http_client", "provision",
    ),
    "detector": (
        "evaluation", "models", "trial", "__main__", "service", "worker", "evidence", "pipeline", "memory", "incidents", "rules",
        "impact", "fire", "view", "tracking", "ownership", "metrics",
    ),
    "alerter": (
        "__main__", "service", "alerter", "doors", "deciding", "journal", "lifecycle", "kpi", "exports", "air", "metrics", "ingest",
    ),
    "console": (
        "__main__", "service", "http", "api", "socket", "archives", "live", "intake", "actions", "store", "doors", "metrics",
        "problems",
    ),
    "privacy": (
        "supervisor", "worker", "workbench", "poller", "claiming", "folders", "plan", "plugins", "networks", "faces",
        "verifying", "covering", "looking", "cover", "bridging", "regions", "ffmpeg", "ffmpeg_words", "matroska", "digests",
    ),
}  # fmt: skip
"""Rooms of a package, the upper floors first: each may import what stands behind it, and nothing before it."""

SPEAKERS = {
    f"hazardcast/{name}.py"
    for name in (
        "contract/service_names",
        "contract/topics",
        "contract/messages/detail",
        "mqtt/name_guard",
    )
}
"""Where the library says a service's name: the list, who says what to whom, what each tells of itself, and whose name is a vehicle's."""

EDGES: dict[str, set[str]] = {
    "paho": {"hazardcast/mqtt/bus.py"},
    "cv2": {
        "camera/drawing.py",
        "camera/push/capture.py",
        "detector/evidence/drawing.py",
        "hazardcast/vision/pixels/sources.py",
        "hazardcast/vision/pixels/image.py",
    },
    "onnxruntime": {
        "hazardcast/vision/models/onnx_model.py",
        "hazardcast/vision/models/bundled.py",
        "privacy/faces.py",
    },
    "cyclonedds": {"vehicle_agent/ros2.py"},
    "pycrate_asn1dir": {"alerter/exports/denm_uper.py"},
    "subprocess": {
        "hazardcast/service/processes.py",
        "camera/encoder.py",
        "recorder/ffmpeg.py",
        "clipper/ffmpeg.py",
        "privacy/ffmpeg.py",
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

FACE = 99
"""The floor of a package's own face: it imports nothing of the package."""

LONGEST_FILE = 400
LONGEST_FUNCTION = 45
MEDIAN_FUNCTION = 10


def name_of(path: Path) -> str:
    """`hazardcast/mqtt/bus.py`, `recorder/service.py`."""
    for package, root in HOMES.items():
        if path.is_relative_to(root):
            return f"{package}/{path.relative_to(root).as_posix()}"
    raise AssertionError(path)


def module_of(path: Path) -> str:
    """`hazardcast.mqtt.bus`; a package's is that of its `__init__`."""
    name = name_of(path).removeprefix("tools/").removesuffix(".py").removesuffix("/__init__")
    return name.replace("/", ".")


def package_of(path: Path) -> str:
    """`hazardcast`, `hazardcast_tools`, `recorder`."""
    return module_of(path).split(".")[0]


def floor_of(module: str) -> int | None:
    """How far down a module stands in its package; None for the package's own face."""
    package, _, inside = module.partition(".")
    for floor, room in enumerate(FLOORS[package]):
        if inside == room or inside.startswith(f"{room}."):
            return floor
    return (
        FACE if not inside or inside in {room.split(".")[0] for room in FLOORS[package]} else None
    )


@functools.cache
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


def names_imported(path: Path) -> Iterator[str]:
    """As `imports`, with the name that is taken from each module: it may be a module itself."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


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
    package = package_of(path)
    services = {"hazardcast_tools", *SERVICES}
    forbidden = services - {package} if package != "hazardcast_tools" else set(SERVICES)

    roots = {module.split(".")[0] for module in imports(path)}

    assert not roots & forbidden, "a service imports another or a tool, or the library anything"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if package_of(path) in FLOORS], ids=name_of
)
def test_inside_a_package_imports_run_down(path: Path) -> None:
    package = package_of(path)
    floor = floor_of(module_of(path))
    assert floor is not None, "a room of which nobody has said on which floor it is"

    below = {
        name: floor_of(name) for name in names_imported(path) if name.startswith(f"{package}.")
    }

    assert not {name for name, there in below.items() if there is not None and there < floor}


def test_the_library_names_no_service() -> None:
    names = {"detector", "alerter", "clipper", "recorder", "vehicle_agent", "vehicle-agent"}
    named = {
        f"{name_of(path)}:{node.lineno}"
        for path in LIBRARY.rglob("*.py")
        if name_of(path) not in SPEAKERS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and node.value in names
    }

    assert not named


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
RENAMERS = {"alerter/doors/drop_folder.py", "camera/queue_folder.py", "vehicle_agent/alert_log.py"}
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


def test_transport_streams_are_read_by_one_module() -> None:
    """Who else knows how long a packet is, reads packets."""
    readers = {
        name_of(path)
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and node.value == 188
    }

    assert readers == {"hazardcast/media/mpegts.py"}


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
