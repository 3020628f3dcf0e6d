"""Construction of a camera's pipeline from its settings.

Pure: the same input gives the same pipeline. User input is only ever used as the value of a
property. Caps are written here, from numbers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from touchline.capture.cameras.encoders import (
    ENCODERS,
    PRESETS,
    EncoderTarget,
    choose_encoder,
    nvmm_caps,
)
from touchline.capture.settings.cameras import (
    ArgusSource,
    Crop,
    FileSource,
    LibcameraSource,
    RtspSource,
    Source,
    TestSource,
    V4l2Source,
)
from touchline.capture.settings.tree import CaptureSettings
from touchline.core.errors import Failed
from touchline.ipc.wire import PROBED_ELEMENTS, Element, Picture, PipelineSpec, Rtsp, Value

RAW_QUEUE = "raw_queue"
"""Name of the queue of raw frames whose overruns the worker counts as dropped frames."""

_RAW_QUEUE_FRAMES = 8
# Buffers in Jetson memory come from a pool of a few; a longer queue would starve the camera.
_NVMM_QUEUE_FRAMES = 3

_ASSUMED_FPS = Fraction(25)
"""Frame rate assumed for sources whose rate is known only once they run.

It gives a keyframe distance of one second at 25 fps.
"""
_ARGUS_FPS = Fraction(30)


def build_pipeline(
    camera_id: int,
    source: Source,
    settings: CaptureSettings,
    elements: Collection[str],
    *,
    scenes: Path | None = None,
) -> PipelineSpec:
    """Return the pipeline for one camera on a machine that has `elements`.

    `scenes` is the folder with the simulated cameras' pitches. Raises Failed when a required
    element is missing.
    """
    encoding = _Encoding(choose_encoder(settings.encoder, elements), source, settings)
    spec = _build(camera_id, source, encoding)
    if isinstance(source, TestSource) and source.scene != "pattern" and scenes is not None:
        scene = str(scenes / scene_file(source))
        picture = None if spec.picture is None else replace(spec.picture, scene=scene)
        spec = replace(spec, picture=picture)
    for element in spec.source:
        if element.factory in PROBED_ELEMENTS and element.factory not in elements:
            raise Failed(
                f"Camera {camera_id} ({source.kind}) needs the GStreamer element"
                f" {element.factory}, which is not installed.",
                code="element_missing",
                element=element.factory,
                camera_id=camera_id,
            )
    return spec


def scene_file(source: TestSource) -> str:
    """Return the file name of the empty pitch that a simulated camera shows."""
    return f"{source.scene}-{source.width}x{source.height}.i420"


@dataclass(frozen=True)
class _Encoding:
    """Conversion of one camera's frames to H.264."""

    encoder: str
    source: Source
    settings: CaptureSettings

    def chain(self, fps: Fraction, crop: Crop, *, live: bool = True) -> tuple[Element, ...]:
        """Return the elements from raw frames in system memory to H.264."""
        cut = (Element("videocrop", crop.model_dump()),) if crop else ()
        return (
            _raw_queue(_RAW_QUEUE_FRAMES, live=live),
            *cut,
            Element("videoconvert"),
            *self.encode(fps),
        )

    def encode(self, fps: Fraction) -> tuple[Element, ...]:
        """Return the encoder with the elements required before and after it."""
        preset = PRESETS[self.source.quality or self.settings.quality]
        bitrate_kbps = self.source.bitrate_kbps or preset.bitrate_kbps
        gop_frames = max(1, round(fps))  # a keyframe a second
        return ENCODERS[self.encoder](EncoderTarget(preset, bitrate_kbps, gop_frames))


def _build(camera_id: int, source: Source, encoding: _Encoding) -> PipelineSpec:
    settings = encoding.settings
    spec = PipelineSpec(
        kind=source.kind,
        source=(),
        stall_after_s=settings.stall_after_s,
        start_timeout_s=settings.start_timeout_s,
        retry_pause_max_s=settings.recovery_pause_max_s,
        retry_limit=settings.recovery_max_attempts,
    )
    match source:
        case TestSource():
            return replace(
                spec,
                encode=encoding.chain(source.fps, source.crop.within(source.width, source.height)),
                picture=Picture(
                    source.label(camera_id),
                    source.width,
                    source.height,
                    source.fps.numerator,
                    source.fps.denominator,
                    side=None if source.scene == "pattern" else source.scene,
                ),
            )
        case FileSource():
            return replace(
                spec,
                source=(Element("filesrc", {"location": str(source.path)}),),
                # A file can wait for a slow encoder; a camera's pictures cannot.
                encode=encoding.chain(_ASSUMED_FPS, source.crop.even(), live=False),
                demux=True,
                force_encode=bool(source.crop.even()),
                loop=source.loop,
            )
        case RtspSource():
            crop = source.crop.even()
            return replace(
                spec,
                rtsp=_rtsp(source),
                encode=encoding.chain(_ASSUMED_FPS, crop),
                demux=True,
                force_encode=bool(crop),
                keep_running=not crop,
            )
        case V4l2Source():
            return _v4l2_camera(spec, source, encoding)
        case LibcameraSource():
            named: dict[str, Value] = {"camera-name": source.camera} if source.camera else {}
            caps = f"video/x-raw,format=NV12,{_frame_caps(source)}"
            return replace(
                spec,
                source=(Element("libcamerasrc", named), Element("capsfilter", {"caps": caps})),
                encode=encoding.chain(source.fps, source.crop.within(source.width, source.height)),
            )
        case ArgusSource():
            return _argus_camera(spec, camera_id, source, encoding)


def _rtsp(source: RtspSource) -> Rtsp:
    return Rtsp(
        url=source.url,
        user=source.user,
        password=None if source.password is None else source.password.get_secret_value(),
        transport=source.transport,
        latency_ms=source.latency_ms,
        verify_tls=source.verify_tls,
        track=source.track,
    )


def _v4l2_camera(spec: PipelineSpec, source: V4l2Source, encoding: _Encoding) -> PipelineSpec:
    media = {"raw": "video/x-raw", "mjpeg": "image/jpeg", "h264": "video/x-h264"}[source.format]
    device = (
        Element("v4l2src", {"device": source.device}),
        Element("capsfilter", {"caps": f"{media},{_frame_caps(source)}"}),
    )
    crop = source.crop.within(source.width, source.height)
    chain = encoding.chain(source.fps, crop)
    if source.format == "mjpeg":
        return replace(spec, source=(*device, Element("jpegdec")), encode=chain)
    if source.format == "raw":
        return replace(spec, source=device, encode=chain)
    if crop:
        return replace(spec, source=device, encode=chain, demux=True, force_encode=True)
    return replace(spec, source=device, delivers_h264=True, keep_running=True)


def _argus_camera(
    spec: PipelineSpec, camera_id: int, source: ArgusSource, encoding: _Encoding
) -> PipelineSpec:
    camera: dict[str, Value] = {
        "sensor-id": camera_id if source.sensor_id is None else source.sensor_id,
        "sensor-mode": source.sensor_mode,
        "tnr-mode": 1,
        "ee-mode": 1,
        "wbmode": 1,
        "aelock": False,
        "aeantibanding": 3,
        "exposurecompensation": source.exposure_compensation,
        "exposuretimerange": "13000 33000000",
        "gainrange": "1 16",
        "ispdigitalgainrange": "1 1",
        "saturation": 1.0,
    }
    width, height = source.width, source.height
    elements = [Element("nvarguscamerasrc", camera), nvmm_caps(f"width={width},height={height}")]
    if crop := source.crop.within(width, height):
        right, bottom = width - crop.right, height - crop.bottom
        # nvvidconv takes the corners of the remaining area, not the removed margins.
        corners = {"left": crop.left, "right": right, "top": crop.top, "bottom": bottom}
        size = f"width={right - crop.left},height={bottom - crop.top}"
        elements += [Element("nvvidconv", corners), nvmm_caps(size)]
    encode = encoding.encode(_ARGUS_FPS)
    if encoding.encoder == "nvv4l2h264enc":
        queue = _raw_queue(_NVMM_QUEUE_FRAMES, live=True)
    else:
        queue = _raw_queue(_RAW_QUEUE_FRAMES, live=True)
        caps = "video/x-raw,format=I420,colorimetry=bt709,interlace-mode=progressive"
        elements += [Element("nvvidconv"), Element("capsfilter", {"caps": caps})]
        encode = (Element("videoconvert"), *encode)
    return replace(spec, source=tuple(elements), encode=(queue, *encode))


def _raw_queue(frames: int, *, live: bool) -> Element:
    """Return a short queue before the encoder; for a live camera it drops the oldest frame."""
    properties: dict[str, Value] = {
        "name": RAW_QUEUE,
        "max-size-buffers": frames,
        "max-size-bytes": 0,
        "max-size-time": 0,
    }
    if live:
        properties["leaky"] = "downstream"
    return Element("queue", properties)


def _frame_caps(source: V4l2Source | LibcameraSource) -> str:
    rate = f"{source.fps.numerator}/{source.fps.denominator}"
    return f"width={source.width},height={source.height},framerate={rate}"
