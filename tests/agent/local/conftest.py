"""The embedded model as users have it: the file in their cache, the machine's warm process."""

from __future__ import annotations

import pytest

from agent.local.model import LocalModel
from penny.settings import load


@pytest.fixture(scope="session")
async def local_model() -> LocalModel:
    """The model, downloaded if need be, and ready. Its process goes on and ends by itself when it is not used."""
    settings = load()
    model = LocalModel(settings.cache, gguf=settings.local_gguf)
    await model.warm_up()
    return model
