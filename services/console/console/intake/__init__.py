"""What is said on MQTT, made into rows."""
