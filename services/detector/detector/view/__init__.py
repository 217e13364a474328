"""What is learnt of one camera's view: road, usual traffic, usual stops, light, tampering."""
