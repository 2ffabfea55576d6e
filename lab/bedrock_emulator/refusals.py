"""Errors as AWS sends them before a stream: a status, a type in a header, a message in JSON."""

from __future__ import annotations

STATUS = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "IncompleteSignatureException": 403,
    "InternalServerException": 500,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}


class ApiError(Exception):
    """A refusal on its way out; `status` in doubt is the one AWS gives the type."""

    def __init__(self, type_: str, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.type = type_
        self.message = message
        self.status = status or STATUS.get(type_, 500)
        self.headers = {"x-amzn-errortype": type_}
        if retry_after is not None:
            self.headers["Retry-After"] = f"{retry_after:g}"


def invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
