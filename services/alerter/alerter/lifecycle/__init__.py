"""The life-cycle of alerts: events, versions, numbers, and what is kept of them."""
