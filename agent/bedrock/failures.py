"""What goes wrong with Bedrock, in Penny's error family, with messages that say what to do and nothing internal."""

from __future__ import annotations

import aiohttp
from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EventStreamError,
    InvalidEndpointConfigurationError,
    NoCredentialsError,
    ParamValidationError,
)
from langchain_core.exceptions import ContextOverflowError

from agent.bedrock.place import Place
from agent.bedrock.wire import retry_after
from agent.model import ContextTooLong, ModelRefused, ModelThrottled, ModelUnavailable, ProfileUnknown
from domain.errors import Unavailable

EXPECTED = (BotoCoreError, ClientError, ContextOverflowError, ParserError, aiohttp.ClientError, OSError)
"""Everything that signing, carrying and reading a reply may raise."""

NO_CREDENTIALS = (
    "No AWS credentials were found: run `aws configure` or `aws sso login`, set AWS_PROFILE, "
    "or run where a task or instance role provides them."
)
_THROTTLED = {"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"}
_CREDENTIALS = {
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}
_UNKNOWN_MODEL = ("model identifier is invalid", "doesn't exist", "does not exist", "not found")


def throttled(error: Exception) -> bool:
    """Whether the provider asks for less traffic."""
    code = str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""
    return code[:1].upper() + code[1:] in _THROTTLED


def translated(error: Exception, place: Place) -> Unavailable:
    """The ModelThrottled, ModelUnavailable or ModelRefused that tells the same. `place` is named in the messages."""
    if isinstance(error, ContextOverflowError):
        return ContextTooLong("The conversation has become too long for the model; start a new one.")
    if isinstance(error, ClientError):
        return _answered(error, place)
    if isinstance(error, NoCredentialsError):
        return ModelRefused(NO_CREDENTIALS)
    if isinstance(error, ParamValidationError):
        return ModelRefused("Bedrock's request rules do not allow this message.")
    if isinstance(error, InvalidEndpointConfigurationError):
        return ModelRefused(f"A Bedrock API key is sent over https only, and {place.endpoint} is not.")
    if isinstance(error, BotoCoreError):
        return ModelRefused("AWS credentials could not be obtained; run `aws sso login` or check the profile or role.")
    if isinstance(error, aiohttp.ClientSSLError):
        return ModelUnavailable(f"The certificate of Bedrock's endpoint {place.host} is not trusted.")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return ModelUnavailable(f"Bedrock cannot be reached at {place.host}; check the network and the region.")
    if isinstance(error, TimeoutError):
        return ModelUnavailable("The model went silent; please try again.")
    return ModelUnavailable("The model's answer broke off; please try again.")


def _answered(error: ClientError, place: Place) -> Unavailable:
    code = str(error.response["Error"]["Code"])
    code = code[:1].upper() + code[1:]  # in-stream exceptions are spelt throttlingException
    text = str(error.response["Error"].get("Message", ""))
    request_id = str(error.response.get("ResponseMetadata", {}).get("RequestId", ""))
    failure = _by_code(code, text, place, in_stream=isinstance(error, EventStreamError))
    failure.details = {"provider_code": code, **({"provider_request_id": request_id} if request_id else {})}
    if (wait := retry_after(error)) is not None:
        failure.details["retry_after"] = wait
    return failure


def _by_code(code: str, text: str, place: Place, *, in_stream: bool) -> Unavailable:
    where = f"{place.model_id} in {place.region}"
    if code in _THROTTLED:
        return ModelThrottled("The model is asked more than it may answer right now; please try again shortly.")
    if code == "AccessDeniedException":
        return ModelRefused(
            f"AWS denies access to the model {where}: enable model access for it in Bedrock, "
            "and allow bedrock:InvokeModelWithResponseStream."
        )
    if code in _CREDENTIALS:
        return ModelRefused("AWS does not accept the credentials: they are wrong or expired; renew them and try again.")
    if code == "ResourceNotFoundException" or (code == "ValidationException" and _names_no_model(text)):
        if place.tenant:
            return ProfileUnknown(
                f"The model cannot be asked on the bill of {place.tenant}: its inference profile does not exist. "
                "Whoever runs this service has to correct PENNY_MODEL_PROFILES."
            )
        return ModelRefused(f"Bedrock knows no model {where}; check PENNY_MODEL and AWS_REGION.")
    if code == "ValidationException" and "on-demand throughput" in text:
        return ModelRefused(f"The model {where} needs an inference profile: use its id with a prefix such as `us.`.")
    if code == "ValidationException" and not in_stream:
        return ModelRefused("Bedrock refused the request as malformed.")
    return ModelUnavailable("The model could not answer; please try again.")


def _names_no_model(text: str) -> bool:
    return any(words in text.lower() for words in _UNKNOWN_MODEL)
