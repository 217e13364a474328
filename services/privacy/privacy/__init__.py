"""Privacy: finished recordings are covered, verified and only then shown."""
