// Watches a stream over WHEP as a page that knows nothing else of the server: its offer is posted
// at once, candidates follow by PATCH, and the session is ended by DELETE.
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

class Whep {
  constructor(url, { setup, rsa }) {
    this.patched = [];
    this.failed = null;
    this.session = null;
    this.waiting = [];
    this.video = document.createElement("video");
    Object.assign(this.video, { muted: true, autoplay: true, playsInline: true });
    document.body.append(this.video);
    this.shown = watchFrames(this.video);
    this.start(new URL(url, location.href), setup, rsa).catch((error) => {
      this.failed = String(error);
    });
  }

  async start(url, setup, rsa) {
    const certificates = rsa ? [await RTCPeerConnection.generateCertificate(RSA)] : [];
    this.peer = new RTCPeerConnection({ certificates });
    this.peer.addTransceiver("video", { direction: "recvonly" });
    this.peer.ontrack = ({ streams }) => { [this.video.srcObject] = streams; };
    this.peer.onicecandidate = ({ candidate }) => {
      this.waiting.push(candidate ? candidate.candidate : null);
      this.trickle();
    };
    const offer = await this.peer.createOffer();
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: offer.sdp.replaceAll("a=setup:actpass", `a=setup:${setup}`),
    });
    const text = await answer.text();
    if (answer.status !== 201) throw new Error(`${answer.status} ${text}`);
    [this.ufrag] = /(?<=^a=ice-ufrag:).*(?=\r$)/m.exec(offer.sdp);
    this.tag = answer.headers.get("etag");
    this.session = new URL(answer.headers.get("location"), url);
    await this.peer.setLocalDescription(offer);
    await this.peer.setRemoteDescription({ type: "answer", sdp: text });
    this.trickle();
  }

  trickle() {
    if (!this.session) return;
    for (const found of this.waiting.splice(0)) {
      const line = found === null ? "end-of-candidates" : found;
      const lines = [`a=ice-ufrag:${this.ufrag}`, "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", `a=${line}`];
      fetch(this.session, {
        method: "PATCH",
        headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": this.tag },
        body: `${lines.join("\r\n")}\r\n`,
      }).then(({ status }) => this.patched.push(status), (error) => { this.failed = String(error); });
    }
  }

  state() {
    const { patched, failed, session } = this;
    return { patched, failed, session: session && session.href };
  }

  // Hang up; the status of what the server answers.
  async stop() {
    const { status } = await fetch(this.session, { method: "DELETE" });
    this.peer.close();
    return status;
  }
}
