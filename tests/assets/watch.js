// Watches streams over the server's WebSocket; after a broken connection it begins again by itself.
class Watch {
  constructor(kinds, { again = true } = {}) {
    this.kinds = kinds;
    this.again = again;
    this.streams = {};
    this.messages = [];
    this.connections = 0;
    this.connect();
  }

  connect() {
    this.peers = {};
    this.waiting = {};
    this.socket = new WebSocket(`ws://${location.host}/ws`);
    this.socket.onopen = () => {
      this.connections += 1;
      for (const kind of this.kinds) this.say("webrtc_start", { stream_kind: kind });
    };
    this.socket.onmessage = (event) => this.hear(JSON.parse(event.data));
    this.socket.onclose = () => {
      for (const peer of Object.values(this.peers)) peer.close();
      if (this.again) setTimeout(() => this.connect(), 200);
    };
  }

  say(type, data) {
    this.socket.send(JSON.stringify({ v: 1, type, data }));
  }

  async hear({ type, data }) {
    if (!type.startsWith("webrtc_")) return;
    this.messages.push({ type, data });
    if (type === "webrtc_session_ready") await this.offer(data);
    const peer = data && this.peers[data.session_id];
    if (type === "webrtc_answer") await peer.setRemoteDescription({ type: "answer", sdp: data.sdp });
    if (type === "webrtc_ice_candidate") {
      await peer.addIceCandidate({ candidate: data.candidate, sdpMLineIndex: data.sdpMLineIndex });
    }
  }

  async offer({ session_id, stream_kind, ice_servers }) {
    const peer = new RTCPeerConnection({ iceServers: ice_servers });
    this.peers[session_id] = peer;
    const video = this.video(stream_kind);
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = (event) => { [video.srcObject] = event.streams; };
    peer.onicecandidate = ({ candidate }) => {
      if (!candidate) return;
      const { candidate: text, sdpMLineIndex } = candidate;
      this.say("webrtc_ice_candidate", { session_id, stream_kind, candidate: text, sdpMLineIndex });
    };
    await peer.setLocalDescription(await peer.createOffer());
    this.say("webrtc_offer", { session_id, stream_kind, sdp: peer.localDescription.sdp });
  }

  video(kind) {
    if (!this.streams[kind]) {
      const video = document.createElement("video");
      Object.assign(video, { muted: true, autoplay: true, playsInline: true });
      document.body.append(video);
      this.streams[kind] = { video, frames: watchFrames(video) };
    }
    return this.streams[kind].video;
  }

  // The frames a stream has shown, from a place on.
  frames(kind, from = 0) {
    return this.streams[kind] ? this.streams[kind].frames.slice(from) : [];
  }

  stop() {
    this.again = false;
    this.socket.close();
    for (const peer of Object.values(this.peers)) peer.close();
  }
}
