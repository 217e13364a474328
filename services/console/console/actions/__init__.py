"""What operators do: decisions, incidents and clip requests, said on the bus now or refused."""
