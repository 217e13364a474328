"""The whole system on one machine without Docker: broker, services, who is there."""
