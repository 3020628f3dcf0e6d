"""Films as another program records them."""

from __future__ import annotations

import subprocess
from pathlib import Path

SIZE = "160x90"


def film(path: Path, *options: str, seconds: float = 2.0, codec: str = "libx264") -> Path:
    """What another program records: FFmpeg's own muxers."""
    source = f"testsrc2=size={SIZE}:rate=25:duration={seconds}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", codec,
         "-pix_fmt", "yuv420p", "-g", "25", *options, str(path)],
        check=True,
    )  # fmt: skip
    return path
