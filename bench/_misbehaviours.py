"""The misbehaviours that C21 records: each a camera, and what can be asked of a recorder of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SIGNED = {"user": "coach", "password": "p@ss"}


@dataclass(frozen=True)
class Behaviour:
    """One camera. Its options are those of `touchline simulate rtsp-camera`."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """The recorder's settings of the camera, beside its URL."""
    plays: bool = True
    """False where no recorder can get footage: it must only survive."""
    track: int = 0
    """The track that is to be recorded."""
    most_sign_ins: int | None = None
    """How many wrong sign-ins are no nuisance."""
    damages: bool = False
    """The camera itself spoils pictures, so that garbage in the files is not the recorder's."""
    drawn: tuple[int, int] | None = None
    """The size of the picture, where the recorder crops it."""
    after: dict[str, Any] | None = None
    """Options of a second camera that the first redirects to; its footage counts."""

    def ends(self) -> bool:
        """Whether the camera itself ends or starves a connection, so that another is right."""
        ending = {"close_after", "bye_after", "stall_after", "endless_unit_after"}
        return bool(ending & self.options.keys())


def _at(name: str, **options: Any) -> Behaviour:
    """A misbehaviour that begins half a second after the signal."""
    return Behaviour(name, {"on_signal": True, **options})


def _is(name: str, **options: Any) -> Behaviour:
    return Behaviour(name, options)


def _signed(name: str, **options: Any) -> Behaviour:
    return Behaviour(name, {**SIGNED, **options}, dict(SIGNED))


BEGIN_S = 0.5
_LATE = {"hold_after": 0.4, "resize_after": BEGIN_S, "resize_to": "480x270"}
_CROPPED = {"crop": {"right": 32, "bottom": 16}}
_OVER_UDP = {"transport": "udp"}


_WHOLE_BLOCKS = {"height": 192, "bitrate": 4000}
"""JPEG sends whole blocks, and at a low rate they look damaged."""


def _encoded() -> tuple[Behaviour, ...]:
    """What cameras do wrong whose pictures are decoded and encoded here, by codec."""
    wrong: dict[str, dict[str, Any]] = {
        "well-behaved": {},
        "constant stamps": {"constant_stamps": True},
        "every tenth stamp doubled": {"double_stamp_every": 10},
        "packets twice": {"duplicate_every": 3},
        "no marker": {"markers": "none"},
        "TCP held for 1.8 s": {"on_signal": True, "hold_after": BEGIN_S, "hold_for": 1.8},
        "SSRC changes with each keyframe": {"ssrc_each_keyframe": True},
        "and stamps, too": {"ssrc_each_keyframe": True, "ssrc_new_stamps": True},
        "stamps jump ahead": {"on_signal": True, "stamp_jump_after": BEGIN_S, "stamp_jump_s": 100},
        "stamps jump back": {"on_signal": True, "stamp_jump_after": BEGIN_S, "stamp_jump_s": -100},
        "sequence numbers jump": {"on_signal": True, "sequence_jump_after": BEGIN_S},
    }
    return tuple(
        _is(f"{spelt}: {name}", codec=codec, **_WHOLE_BLOCKS, **options)
        for codec, spelt in (("h265", "H.265"), ("mjpeg", "MJPEG"))
        for name, options in wrong.items()
    )


BEHAVIOURS = (
    _is("well-behaved"),
    Behaviour("over UDP", {}, _OVER_UDP),
    Behaviour("cropped", {}, _CROPPED, drawn=(320, 180)),
    Behaviour("cropped, parameter sets change while TCP is held",
              {"on_signal": True, "recode_after": 0.5, "hold_after": 0.4, "hold_for": 0.5},
              _CROPPED, drawn=(320, 180)),
    Behaviour("cropped, four slices, marker on each", {"slices": 4, "markers": "each-slice"},
              _CROPPED, drawn=(320, 180)),
    # --------------------------------------------------------------- coding
    _at("size changes", resize_after=BEGIN_S, resize_to="480x270"),
    _at("size changes while TCP is held for 0.25 s", **_LATE, hold_for=0.25),
    _at("size changes while TCP is held for 1.3 s", **_LATE, hold_for=1.3),
    _at("parameter sets change at one size", recode_after=BEGIN_S),
    _at("and while TCP is held", recode_after=BEGIN_S, hold_after=0.4, hold_for=0.8),
    _at("rate drops", rate_after=BEGIN_S, rate_to=12),
    _at("rate rises", rate_after=BEGIN_S, rate_to=50),
    _is("parameter sets only in the SDP", parameter_sets="sdp"),
    _is("parameter sets only in band", parameter_sets="band"),
    _is("parameter sets with each frame", parameter_sets="each-frame"),
    _is("access unit delimiters", aud=True),
    _is("four slices, marker on each", slices=4, markers="each-slice"),
    _is("four slices, no marker", slices=4, markers="none"),
    _is("four slices, one marker", slices=4),
    _is("no marker", markers="none"),
    _is("no marker, with delimiters", markers="none", aud=True),
    _is("B-frames", b_frames=2),
    _is("referenced B-frames", b_frames=3, b_pyramid=True),
    _is("B-frames, marker on each slice", b_frames=2, slices=2, markers="each-slice"),
    _is("long GOP, first keyframe late", gop_s=12, first_keyframe_after=2.5),
    # ------------------------------------------------------------------ RTP
    _is("every tenth stamp doubled", double_stamp_every=10),
    _is("every second stamp doubled", double_stamp_every=2),
    _is("constant stamps", constant_stamps=True),
    _is("stamps and numbers wrap around", stamp_start=2**32 - 450_000, sequence_start=65_000),
    _at("stamps jump ahead", stamp_jump_after=BEGIN_S, stamp_jump_s=100),
    _at("stamps jump back", stamp_jump_after=BEGIN_S, stamp_jump_s=-100),
    _at("stamps jump a little", stamp_jump_after=BEGIN_S, stamp_jump_s=0.7),
    _is("clock 500 ppm fast", drift_ppm=500),
    _is("clock 2 % slow", drift_ppm=-20_000),
    _at("SSRC changes", ssrc_after=BEGIN_S),
    _at("SSRC and stamps change", ssrc_after=BEGIN_S, ssrc_new_stamps=True),
    _is("SSRC changes with each keyframe", ssrc_each_keyframe=True),
    _is("and stamps, too", ssrc_each_keyframe=True, ssrc_new_stamps=True),
    _is("a second stream on the same channel", second_source="stream"),
    _is("metadata on the same channel", second_source="metadata"),
    _at("sequence numbers jump", sequence_jump_after=BEGIN_S),
    _is("padding", padding=64),
    _is("header extension and sources", extension="two-byte", csrc=3),
    _is("ONVIF replay extension", extension="onvif"),
    _is("aggregates", packing="aggregate"),
    _is("fragments of everything", packing="fragment"),
    _is("whole units in packets", packing="whole"),
    _is("tiny packets", packet_bytes=100),
    _is("packets twice", duplicate_every=3),
    Behaviour("packets swapped over UDP", {"reorder_every": 7, "packet_bytes": 500}, _OVER_UDP),
    Behaviour("a second stream and packets swapped over UDP",
              {"second_source": "stream", "reorder_every": 7, "packet_bytes": 500}, _OVER_UDP),
    Behaviour("packets twice over UDP", {"duplicate_every": 3}, _OVER_UDP),
    Behaviour("one packet in 200 lost over UDP", {"lose_every": 200}, _OVER_UDP, damages=True),
    _is("no sender reports", sender_reports="none"),
    _is("sender reports of 1970", sender_reports="wrong-clock"),
    _at("BYE", bye_after=1.0),
    _is("payload type 111", payload_type=111),
    # --------------------------------------------------------- other codecs
    *_encoded(),
    _is("H.265: three slices, marker on each", codec="h265", slices=3, markers="each-slice"),
    # ------------------------------------------------------------- sessions
    _at("TCP held for 0.5 s", hold_after=BEGIN_S, hold_for=0.5),
    _at("TCP held for 1.8 s", hold_after=BEGIN_S, hold_for=1.8),
    _at("TCP held for 1.8 s, GOP of 12 s", hold_after=BEGIN_S, hold_for=1.8, gop_s=12),
    _at("TCP held again and again", hold_after=0.1, hold_for=0.8, hold_every=0.3),
    _is("silent for 2 s after PLAY", silent_for=2),
    _at("silent for 1.5 s", stall_after=4, stall_for=1.5),
    _at("closes without TEARDOWN", close_after=1.5),
    _at("resets the connection", close_after=1.5, close_how="reset"),
    _is("session lives by GET_PARAMETER", session_timeout=3, alive_by="get_parameter"),
    _is("session lives by OPTIONS", session_timeout=3, alive_by="options",
        refuse=["GET_PARAMETER=501"]),
    _is("501 to GET_PARAMETER, any request counts", session_timeout=3, alive_by="requests",
        refuse=["GET_PARAMETER=501"], public="all"),
    _is("session time-out of 3 s, no methods listed", session_timeout=3, alive_by="requests",
        public="missing"),
    _is("asks its client", ask_client_every=0.5),
    _is("stray bytes", stray_bytes=5),
    _is("foreign channel", stray_channel=True),
    _is("other channels than asked", channels="other"),
    _is("media before the answer to PLAY", media_before_answer=True),
    _is("one client only", max_clients=1),
    Behaviour("TCP only", {"transports": "tcp"}, {"transport": "auto"}),
    Behaviour("UDP only", {"transports": "udp"}, {"transport": "auto"}),
    # ----------------------------------------------------------------- RTSP
    _is("slow answers", answer_after=0.4),
    _is("503 three times", refuse=["DESCRIBE=503"], refuse_times=3),
    _is("453 twice", refuse=["PLAY=453"], refuse_times=2),
    _is("OPTIONS refused", refuse=["OPTIONS=501"]),
    _is("answers in pieces of 3 bytes", split_answers=3),
    _is("no CSeq", cseq="missing"),
    _is("no Content-Base", content_base="missing"),
    _is("Content-Base without slash", content_base="no-slash"),
    _is("absolute control URLs", control="absolute"),
    _is("control paths", control="path"),
    _is("control star", control="star"),
    _is("no RTP-Info", rtp_info="missing"),
    _is("wrong RTP-Info", rtp_info="wrong"),
    _is("session with spaces", session_header="spaces"),
    _is("long session name", session_header="long"),
    _is("lower-case headers", header_case="lower"),
    _is("LF lines, no reasons", line_end="lf", no_reason=True),
    _is("TEARDOWN unanswered", no_teardown_answer=True),
    Behaviour("redirect to another camera", SIGNED, dict(SIGNED), after={}),
    # ---------------------------------------------------------- description
    Behaviour("second track, smaller", {"second_track": "160x90"}),
    Behaviour("second track, larger", {"second_track": "480x270"}, track=1),
    Behaviour("second track, larger, changing places",
              {"second_track": "480x270", "tracks_alternate": True, "on_signal": True,
               "close_after": 1.5}, track=1),
    Behaviour("second track, larger, no sizes",
              {"second_track": "480x270", "sdp_size": "none", "second_first": True}, track=1),
    _is("ONVIF metadata first", metadata_track=True),
    _is("sound beside the picture", audio=True),
    _is("wrong rate in the SDP", sdp_rate="wrong", sdp_size="none"),
    # ----------------------------------------------------------- signing in
    _signed("Basic"),
    _signed("Digest MD5 with qop", auth="digest"),
    _signed("Digest MD5 without qop", auth="digest", qop="none"),
    _signed("Digest SHA-256 only", auth="digest-sha256"),
    _signed("Digest SHA-256 and MD5", auth="digest-both"),
    _signed("Basic and Digest", auth="basic-and-digest", qop="auth,auth-int"),
    _signed("nonce for two requests", auth="digest", stale_nonce_every=2),
    # ------------------------------------------------- nothing to be recorded
    Behaviour("wrong password", {**SIGNED, "auth": "digest", "lock_after": 8},
              {**SIGNED, "password": "wrong"}, plays=False, most_sign_ins=5),
    Behaviour("403", {"refuse": ["DESCRIBE=403"]}, plays=False),
    Behaviour("redirect to itself", {"redirect": "self"}, plays=False),
    Behaviour("endless redirects", {"redirect": "endless"}, plays=False),
    Behaviour("endless headers", {"endless_answer": "headers"}, plays=False),
    Behaviour("endless description", {"endless_answer": "body"}, plays=False),
    Behaviour("description of 50 MB", {"huge_sdp": 50_000_000}, plays=False),
    Behaviour("header of 50 MB", {"huge_header": 50_000_000}, plays=False),
    _at("picture without an end, fragments", endless_unit_after=1.5),
    _at("picture without an end, slices", endless_unit_after=1.5, endless_unit="slices"),
    _at("picture without an end, aggregates", endless_unit_after=1.5, endless_unit="aggregates"),
)  # fmt: skip
