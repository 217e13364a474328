"""The URL of a database whose password lies elsewhere."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from pydantic import SecretStr


def with_password(url: str, password: SecretStr | None) -> str:
    """A server's URL that names a user alone, with the password for it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if password is None or not at or ":" in user:
        return url
    secret = quote(password.get_secret_value(), safe="")
    return parts._replace(netloc=f"{user}:{secret}@{host}").geturl()
