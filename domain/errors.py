"""The PennyError family: what can go wrong, with a stable code, an HTTP status and a message that is safe to show."""

from __future__ import annotations

from typing import Any, ClassVar


class PennyError(Exception):
    """An error with a message for the person who meets it: one sentence that says what to do, and nothing internal.

    `code` is stable and machine-readable, `status` is the HTTP status it becomes at the edge, `details` are JSON values
    that a client may use (never secrets, SQL or paths of another user).
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(PennyError):
    """The request is understood but a value in it cannot be used; the message names the value and what is accepted."""

    code = "invalid_input"
    status = 422


class NotFound(PennyError):
    """There is no such thing for this user; another user's id looks the same."""

    code = "not_found"
    status = 404


class Conflict(PennyError):
    """The state of things does not allow this now."""

    code = "conflict"
    status = 409


class Unauthorized(PennyError):
    """No token, or one that does not count."""

    code = "unauthorized"
    status = 401


class Unavailable(PennyError):
    """Something this needs (database, model) is not there now; trying later may work."""

    code = "unavailable"
    status = 503
    retryable = True


class SetupError(PennyError):
    """Penny cannot start or run a command on this machine as it is set up; the message says what to change."""

    code = "setup"
