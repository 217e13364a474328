"""What people write for a deployment: the environment and `cameras.yaml`, judged once."""
