"""Passwords and tokens."""

import hashlib
import hmac

import bcrypt

from .settings import Settings


def hash_password(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())


def verify_password(password: str, expected: bytes) -> bool:
    return bcrypt.checkpw(password.encode(), expected)


def sign(user_id: int, key: bytes) -> str:
    return f"{user_id}.{hmac.new(key, str(user_id).encode(), hashlib.sha256).hexdigest()}"


def issue_token(user_id: int, settings: Settings) -> str:
    return sign(user_id, settings.signing_key)


class TokenReader:
    """Tells whose token it is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def user_id(self, token: str) -> int | None:
        user, _, _ = token.partition(".")
        if user.isdecimal() and hmac.compare_digest(
            token, sign(int(user), self._settings.signing_key)
        ):
            return int(user)
        return None
