"""The adapter of a connection's protocol."""

from curator.tune.services.client import Connection
from curator.tune.services.openai import OpenAIService
from curator.tune.services.port import Service
from curator.tune.services.together import TogetherService


def service_of(connection: Connection) -> Service:
    """Return the calls of the service a connection leads to; nothing is sent yet."""
    if connection.target.protocol == "together":
        return TogetherService(connection)
    return OpenAIService(connection)
