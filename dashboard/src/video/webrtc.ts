import { live } from "../api/live";

const ANSWER_TIMEOUT_MS = 8_000;

/**
 * The relays (TURN) among a server's ICE servers. STUN would only tell this browser its own outside
 * address, which the server learns from its packets anyhow (peer-reflexive candidates, RFC 8445,
 * 7.3.1.3): the page needs to ask nobody else.
 */
export function relaysOf(servers: unknown): RTCIceServer[] {
  return ((servers ?? []) as RTCIceServer[])
    .map((server) => ({
      ...server,
      urls: [server.urls].flat().filter((url) => /^turns?:/.test(url)),
    }))
    .filter((server) => server.urls.length > 0);
}

/**
 * One stream of the server over WebRTC, signalled over the page's socket. `ended` is called once,
 * with a reason, when there is no picture or none any more; not after `close`.
 */
export class WebRtcView {
  private peer: RTCPeerConnection | null = null;
  private sessionId: string | null = null;
  private over = false;
  private forget: () => void;
  private timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly kind: string,
    private readonly shown: (stream: MediaStream) => void,
    private readonly ended: (reason: string) => void,
  ) {
    this.forget = live.onSignal((message) => {
      const data = (message.data ?? message) as Record<string, unknown>;
      this.heard(message.type, data).catch((error: Error) => this.end(error.message));
    });
    this.timer = setTimeout(() => this.end("no picture came in time"), ANSWER_TIMEOUT_MS);
    live.signal("webrtc_start", { stream_kind: kind });
  }

  close() {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.forget();
    this.peer?.close();
    if (this.sessionId) {
      live.signal("webrtc_stop", { session_id: this.sessionId, stream_kind: this.kind });
    }
  }

  private end(reason: string) {
    if (this.over) return;
    this.close();
    this.ended(reason);
  }

  private async heard(type: string, data: Record<string, unknown>) {
    if (this.over) return;
    if (type === "webrtc_session_ready") {
      if (this.sessionId === null && data.stream_kind === this.kind) await this.offer(data);
      return;
    }
    const mine = data.session_id
      ? data.session_id === this.sessionId
      : data.stream_kind === this.kind;
    if (!mine) return;
    if (type === "webrtc_error") this.end(String(data.error));
    if (type === "webrtc_state" && data.state === "closed")
      this.end(String(data.reason ?? "closed"));
    if (type === "webrtc_answer") {
      await this.peer?.setRemoteDescription({ type: "answer", sdp: String(data.sdp) });
    }
    if (type === "webrtc_ice_candidate" && data.candidate) {
      await this.peer?.addIceCandidate({
        candidate: String(data.candidate),
        sdpMLineIndex: Number(data.sdpMLineIndex ?? 0),
      });
    }
  }

  private async offer(ready: Record<string, unknown>) {
    this.sessionId = String(ready.session_id);
    const peer = new RTCPeerConnection({ iceServers: relaysOf(ready.ice_servers) });
    this.peer = peer;
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = ({ track, streams }) => {
      // A track is there before its first picture; without one this is not a view.
      track.onunmute = () => clearTimeout(this.timer);
      this.shown(streams[0] ?? new MediaStream([track]));
    };
    peer.onicecandidate = ({ candidate }) => {
      if (!candidate || this.over) return;
      live.signal("webrtc_ice_candidate", {
        session_id: this.sessionId,
        stream_kind: this.kind,
        candidate: candidate.candidate,
        sdpMLineIndex: candidate.sdpMLineIndex,
      });
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") this.end("the connection for pictures failed");
    };
    await peer.setLocalDescription(await peer.createOffer());
    live.signal("webrtc_offer", {
      session_id: this.sessionId,
      stream_kind: this.kind,
      sdp: peer.localDescription?.sdp,
    });
  }
}
