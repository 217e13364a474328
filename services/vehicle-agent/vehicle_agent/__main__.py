"""`python -m vehicle_agent`."""

from hazardcast.service.lifecycle import run_service
from vehicle_agent.service import serve

run_service(serve)
