// A camera played with hls.js, as a page would; what was shown and what went wrong is kept.
class HlsPlayer {
  constructor(url, lowLatency) {
    this.errors = [];
    this.video = document.createElement("video");
    this.video.muted = true;
    document.body.append(this.video);
    this.shown = watchFrames(this.video);
    // Without a faster playback hls.js stays behind for ever by what its start took.
    this.hls = new Hls({ lowLatencyMode: lowLatency, maxLiveSyncPlaybackRate: 1.5 });
    this.hls.on(Hls.Events.ERROR, (_, data) => {
      this.errors.push({ details: data.details, fatal: data.fatal });
      if (data.fatal) setTimeout(() => this.hls.loadSource(url), 250); // what its manual suggests
    });
    this.hls.attachMedia(this.video);
    this.hls.loadSource(url);
    this.video.play();
  }

  frames(start) {
    return this.shown.slice(start);
  }

  state() {
    return {
      latency: this.hls.latency, target: this.hls.targetLatency, errors: this.errors,
      stalls: this.errors.filter((error) => error.details === "bufferStalledError").length,
    };
  }

  stop() {
    this.hls.destroy();
    this.video.remove();
  }
}
