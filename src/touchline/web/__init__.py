"""HTTP for touchline: the only FastAPI in the house."""

from touchline.web.app import create_app

__all__ = ["create_app"]
