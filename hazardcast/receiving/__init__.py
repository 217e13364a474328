"""Whether a datagram may be believed: order of the checks, replay, floods."""
