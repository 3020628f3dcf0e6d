"""HTTP for touchline: the only FastAPI in the house."""

from touchline.web.app import create_app
from touchline.web.protocol import ImpatientProtocol

__all__ = ["ImpatientProtocol", "create_app"]
