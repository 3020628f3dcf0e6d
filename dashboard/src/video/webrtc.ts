import { live } from "../api/live";
import { words } from "../messages";

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
 * Views whose session has not come yet, by the kind of their stream. The server answers in the order
 * in which it was asked, so that each answer belongs to the first of them.
 */
const waiting = new Map<string, WebRtcView[]>();

/** Answers that a view has taken. */
const answered = new WeakSet<Record<string, unknown>>();

/** Views that were closed before their session came, with what tells that it is gone. */
const abandoned = new Map<WebRtcView, () => void>();
let allGone: Promise<unknown> = Promise.resolve();

/**
 * Until then a session may come that nobody wants any more, and holds the cameras: who asked for
 * other pictures meanwhile would be refused.
 */
export const sessionsSettled = () => allGone;

// Sessions end with their connection, and what was asked over it is not answered any more.
live.onConnection(() => {
  if (live.connection === "open") return;
  waiting.clear();
  for (const gone of abandoned.values()) gone();
  abandoned.clear();
});

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
    this.timer = setTimeout(() => this.end(words.preview.tooLate), ANSWER_TIMEOUT_MS);
    waiting.set(kind, [...(waiting.get(kind) ?? []), this]);
    live.signal("webrtc_start", { stream_kind: kind });
  }

  close() {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.peer?.close();
    // A session that is still on its way is ended when it comes: until then it holds the cameras.
    if (waiting.get(this.kind)?.includes(this)) {
      const gone = new Promise<void>((done) => abandoned.set(this, done));
      allGone = Promise.all([allGone, gone]);
      return;
    }
    this.forget();
    if (this.sessionId) this.stop(this.sessionId);
  }

  private stop(sessionId: string) {
    live.signal("webrtc_stop", { session_id: sessionId, stream_kind: this.kind });
  }

  /** Whether an answer to a request is the one to this view's. */
  private isAnswered(): boolean {
    const [first, ...others] = waiting.get(this.kind) ?? [];
    if (first !== this) return false;
    waiting.set(this.kind, others);
    return true;
  }

  private end(reason: string) {
    if (this.over) return;
    this.close();
    this.ended(reason);
  }

  private async heard(type: string, data: Record<string, unknown>) {
    const isAnswer =
      data.stream_kind === this.kind &&
      (type === "webrtc_session_ready" || (type === "webrtc_error" && !data.session_id));
    if (isAnswer && this.sessionId === null) {
      // Several views may hear one message: it is the first one's, and the next waits for the next.
      if (answered.has(data) || !this.isAnswered()) return;
      answered.add(data);
      await this.takeAnswer(type, data);
      return;
    }
    if (this.over) {
      if (!waiting.get(this.kind)?.includes(this)) this.forget();
      return;
    }
    const mine = data.session_id
      ? data.session_id === this.sessionId
      : data.stream_kind === this.kind;
    if (mine && !isAnswer) await this.takeNews(type, data);
  }

  /** Takes the answer to the request for a session: the session, or why there is none. */
  private async takeAnswer(type: string, data: Record<string, unknown>) {
    if (this.over) {
      this.forget();
      if (type === "webrtc_session_ready") this.stop(String(data.session_id));
      abandoned.get(this)?.();
      abandoned.delete(this);
    } else if (type === "webrtc_session_ready") await this.offer(data);
    else this.end(String(data.error));
  }

  /** Takes what the server says about the session that this view has. */
  private async takeNews(type: string, data: Record<string, unknown>) {
    if (type === "webrtc_error") this.end(String(data.error));
    if (type === "webrtc_state" && data.state === "closed")
      this.end(String(data.reason ?? words.preview.closed));
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
      if (peer.connectionState === "failed") this.end(words.preview.connectionFailed);
    };
    await peer.setLocalDescription(await peer.createOffer());
    live.signal("webrtc_offer", {
      session_id: this.sessionId,
      stream_kind: this.kind,
      sdp: peer.localDescription?.sdp,
    });
  }
}
