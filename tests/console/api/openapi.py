"""The store's routes as OpenAPI; `python -m tests.console.api.openapi` writes the checked-in document."""

from __future__ import annotations

import json
from pathlib import Path

from console.api import routes
from console.api.clip_files import ClipFiles
from console.store.store import Store
from fastapi import FastAPI

from hazardcast.machine.clock import SystemClock

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "console-events.json"


def document() -> str:
    store = Store("sqlite:///never-opened.sqlite", site="site")
    app = FastAPI(title="Hazardcast console: events", version="1")
    for router in routes.routers(
        store, ClipFiles(Path("x"), Path("x")), SystemClock(), cameras=frozenset()
    ):
        app.include_router(router)
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
