"""The MQTT bus and what keeps it going while the broker is away."""
