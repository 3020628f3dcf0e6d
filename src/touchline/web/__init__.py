"""HTTP interface of touchline, the only package that uses FastAPI."""

from touchline.web.app import create_app
from touchline.web.server.connection import BoundedProtocol, refusal_bytes
from touchline.web.server.door import Door
from touchline.web.server.websocket import ImpatientProtocol

__all__ = ["BoundedProtocol", "Door", "ImpatientProtocol", "create_app", "refusal_bytes"]
