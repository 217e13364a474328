"""The whole console as OpenAPI; `python -m tests.console.api.openapi` writes the checked-in document."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import MagicMock

from console.http.app import application
from console.service import Service

from hazardcast.service.metrics import Health

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "console.json"


def document() -> str:
    """What the service's own routes say of themselves; none of them is asked anything."""
    nobody = MagicMock()
    app = application(nobody, Health(), Service._routers(nobody))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
