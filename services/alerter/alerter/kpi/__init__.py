"""What receipts prove: who should have heard which version, latency and loss."""
