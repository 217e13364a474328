"""What people run beside the services: command line, demo, measurements, provisioning."""
