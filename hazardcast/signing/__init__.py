"""Signatures, and whom to trust: envelopes, keys on disk, their rotation, the seal of a clip."""
