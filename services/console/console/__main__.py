"""`python -m console`."""

from __future__ import annotations

from console.service import serve
from hazardcast.service.lifecycle import run_service

if __name__ == "__main__":
    run_service(serve)
