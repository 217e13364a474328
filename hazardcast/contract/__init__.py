"""What travels between services and what it means: messages, topics, types, errors."""
