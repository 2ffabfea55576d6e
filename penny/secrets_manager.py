"""Secrets of AWS Secrets Manager, by the credentials that AWS's tools find."""

from __future__ import annotations

from domain.errors import SetupError, Unavailable
from penny import aws


def secret_value(secret_id: str, setting: str, stage: str = "AWSCURRENT") -> bytes:
    """The version of this stage of the secret that `setting` names. Blocks: call it in a thread. Raises SetupError when
    there is none or it may not be read, Unavailable when nobody answers."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = aws.client("secretsmanager").get_secret_value(SecretId=secret_id, VersionStage=stage)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("ResourceNotFoundException", "AccessDeniedException", "ValidationException"):
            raise SetupError(f"The secret {secret_id!r} of {setting} cannot be read ({code}).") from None
        raise Unavailable("Secrets Manager does not give the secret now.") from error
    except BotoCoreError as error:
        raise SetupError(
            f"{setting}={secret_id} cannot be asked of Secrets Manager ({type(error).__name__})."
        ) from None
    value: bytes = found["SecretBinary"] if "SecretBinary" in found else found["SecretString"].encode()
    return value.strip()
