"""Watch a WHEP endpoint with GStreamer's webrtcbin, and print how many frames were decoded.

Usage: whep_webrtcbin.py URL SETUP FRAMES DEADLINE_S. SETUP replaces the DTLS role of the offer.
It ends its session with the frames that are wanted, or at the deadline.
"""

from __future__ import annotations

import sys
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

CAPS = "application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000"


class Viewer:
    """A pipeline that takes part in one session and counts the frames that it decodes."""

    def __init__(self, url: str, setup: str, wanted: int) -> None:
        self._url, self._setup, self._wanted = url, setup, wanted
        self._loop = GLib.MainLoop()
        self._pipeline = Gst.Pipeline.new("viewer")
        self._rtc = Gst.ElementFactory.make("webrtcbin", "rtc")
        self._rtc.set_property("bundle-policy", "max-bundle")
        self._pipeline.add(self._rtc)
        receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        self._rtc.emit("add-transceiver", receive, Gst.Caps.from_string(CAPS))
        self._rtc.connect("pad-added", self._on_pad)
        self._rtc.connect("on-negotiation-needed", self._negotiate)
        self._rtc.connect("notify::ice-gathering-state", self._gathered)
        self.frames, self._session = 0, ""

    def watch(self, deadline_s: float) -> None:
        """Take part until the frames are there or the time is over, and end the session."""
        self._pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(int(deadline_s * 1000), self._loop.quit)
        self._loop.run()
        self._pipeline.set_state(Gst.State.NULL)
        if self._session:
            end = urllib.request.Request(self._session, method="DELETE")
            urllib.request.urlopen(end, timeout=20).close()

    def _count(self, *_: object) -> Gst.PadProbeReturn:
        self.frames += 1
        if self.frames >= self._wanted:
            self._loop.quit()
        return Gst.PadProbeReturn.OK

    def _on_pad(self, _: Gst.Element, pad: Gst.Pad) -> None:
        bin_ = Gst.parse_bin_from_description(
            "rtph264depay ! h264parse ! avdec_h264 ! fakesink name=end sync=false", True
        )
        self._pipeline.add(bin_)
        end = bin_.get_by_name("end").get_static_pad("sink")
        end.add_probe(Gst.PadProbeType.BUFFER, self._count)
        bin_.sync_state_with_parent()
        pad.link(bin_.get_static_pad("sink"))

    def _negotiate(self, *_: object) -> None:
        self._rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self._rtc.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, *_: object) -> None:
        state = self._rtc.get_property("ice-gathering-state")
        if state != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        offer = self._rtc.get_property("local-description").sdp.as_text()
        offer = offer.replace("a=setup:actpass", f"a=setup:{self._setup}")
        request = urllib.request.Request(
            self._url, data=offer.encode(), headers={"Content-Type": "application/sdp"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
            self._session = urllib.parse.urljoin(self._url, answer.headers["location"])
        _, message = GstSdp.SDPMessage.new_from_text(text)
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        described = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        self._rtc.emit("set-remote-description", described, Gst.Promise.new())


def main(url: str, setup: str, wanted: int, deadline_s: float) -> None:
    Gst.init(None)
    viewer = Viewer(url, setup, wanted)
    viewer.watch(deadline_s)
    sys.stdout.write(f"{viewer.frames}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
