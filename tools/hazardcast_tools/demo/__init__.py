"""`hazardcast demo`: the real services on this machine, an accident, and proof that all held."""
