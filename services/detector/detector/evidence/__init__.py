"""Why an incident is believed, as an operator sees it."""
