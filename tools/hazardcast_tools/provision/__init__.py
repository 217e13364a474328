"""What a first start needs and no repository holds: accounts, keys, tokens and certificates."""
