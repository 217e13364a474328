"""The detector tells nobody but the broker what it does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hazardcast.config.settings import environment_with

LOOK = """
import os
{imports}
assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
"""


@pytest.mark.parametrize("imports", ["import hazardcast.vision.models.bundled", "import hazardcast.vision.models.onnx_model", "import detector.__main__"])  # fmt: skip
def test_onnx_runtime_is_told_to_report_to_nobody_before_it_is_imported(imports: str, tmp_path: Path) -> None:  # fmt: skip
    """Its telemetry would complain that it cannot keep a device's number in this home."""
    nowhere = tmp_path / "file"
    nowhere.touch()
    environment = {**environment_with(), "HOME": str(nowhere), "XDG_CACHE_HOME": str(nowhere)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)

    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(imports=imports)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
