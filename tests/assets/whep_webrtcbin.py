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


def main(url: str, setup: str, wanted: int, deadline_s: float) -> None:
    Gst.init(None)
    loop = GLib.MainLoop()
    pipeline = Gst.Pipeline.new("viewer")
    rtc = Gst.ElementFactory.make("webrtcbin", "rtc")
    rtc.set_property("bundle-policy", "max-bundle")
    pipeline.add(rtc)
    receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
    rtc.emit("add-transceiver", receive, Gst.Caps.from_string(CAPS))
    frames, session = 0, ""

    def count(*_: object) -> Gst.PadProbeReturn:
        nonlocal frames
        frames += 1
        if frames >= wanted:
            loop.quit()
        return Gst.PadProbeReturn.OK

    def on_pad(_: Gst.Element, pad: Gst.Pad) -> None:
        bin_ = Gst.parse_bin_from_description(
            "rtph264depay ! h264parse ! avdec_h264 ! fakesink name=end sync=false", True
        )
        pipeline.add(bin_)
        bin_.get_by_name("end").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, count)
        bin_.sync_state_with_parent()
        pad.link(bin_.get_static_pad("sink"))

    def gathered(*_: object) -> None:
        if rtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        nonlocal session
        offer = rtc.get_property("local-description").sdp.as_text()
        offer = offer.replace("a=setup:actpass", f"a=setup:{setup}")
        request = urllib.request.Request(
            url, data=offer.encode(), headers={"Content-Type": "application/sdp"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
            session = urllib.parse.urljoin(url, answer.headers["location"])
        _, message = GstSdp.SDPMessage.new_from_text(text)
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        described = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        rtc.emit("set-remote-description", described, Gst.Promise.new())

    def offered(promise: Gst.Promise) -> None:
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        rtc.emit("set-local-description", offer, Gst.Promise.new())

    def negotiate(*_: object) -> None:
        rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(offered))

    rtc.connect("pad-added", on_pad)
    rtc.connect("on-negotiation-needed", negotiate)
    rtc.connect("notify::ice-gathering-state", gathered)
    pipeline.set_state(Gst.State.PLAYING)
    GLib.timeout_add(int(deadline_s * 1000), loop.quit)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    if session:
        urllib.request.urlopen(urllib.request.Request(session, method="DELETE"), timeout=20).close()
    sys.stdout.write(f"{frames}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
