"""The ways out to vehicles: signed datagrams on a schedule, and whether they are heard."""
