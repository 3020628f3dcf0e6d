"""The floor of a read: a bare FastAPI route with the bytes of a file. Arguments: file, port."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response

app = FastAPI()
BODY = Path(sys.argv[1]).read_bytes()


@app.get("/engines")
async def engines() -> Response:
    return Response(BODY, media_type="application/json")


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
