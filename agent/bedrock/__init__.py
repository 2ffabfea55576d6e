"""Bedrock: LangChain's converse model on a native async transport. The only package that speaks langchain_aws."""

from agent.bedrock.model import AwsKeys, BedrockModel, Guardrail
from agent.bedrock.wire import Retries

__all__ = ["AwsKeys", "BedrockModel", "Guardrail", "Retries"]
