"""`python -m touchline.web.schema`: the API's description, for the dashboard's types.

Objects are closed, other than in `/openapi.json`: a name that is not there is then an error when
the dashboard is built, and not one that nobody sees.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from touchline.web.app import bare_app


def closed_schema() -> dict[str, Any]:
    """The description without the promise that objects may have more keys."""
    schema: dict[str, Any] = bare_app().openapi()
    for described in schema["components"]["schemas"].values():
        if "properties" in described and described.get("additionalProperties") is True:
            del described["additionalProperties"]
    return schema


if __name__ == "__main__":
    json.dump(closed_schema(), sys.stdout, indent=1)
