"""HTTP for touchline: the only FastAPI in the house."""

from touchline.web.app import create_app
from touchline.web.door import Door
from touchline.web.http import BoundedProtocol, refusal_bytes
from touchline.web.protocol import ImpatientProtocol

__all__ = ["BoundedProtocol", "Door", "ImpatientProtocol", "create_app", "refusal_bytes"]
