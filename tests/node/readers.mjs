// Reads media as programs do that share no code with FFmpeg: `mp4 FILE` with mp4box.js,
// `hls < PLAYLIST` with hls-parser. Answers with JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [what, file] = process.argv.slice(2);
const require = createRequire(import.meta.url);

function mp4() {
  const { createFile, Log } = require("mp4box");
  const said = [];
  for (const level of ["warn", "error"]) Log[level] = (where, text) => said.push(`${where}: ${text}`);
  const data = readFileSync(file);
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  buffer.fileStart = 0;
  const iso = createFile(true);
  let error = null;
  iso.onError = (where, text) => { error = `${where}: ${text}`; };
  iso.appendBuffer(buffer);
  iso.flush();
  const info = iso.getInfo();
  const track = info.videoTracks[0];
  const trak = iso.getTrackById(track.id);
  const entries = trak.mdia.minf.stbl.stsd.entries;
  const colours = entries.map((entry) => {
    const box = (entry.boxes ?? []).find((each) => each.type === "colr");
    return box ? [box.colour_primaries, box.transfer_characteristics, box.matrix_coefficients, box.full_range_flag] : null;
  });
  const samples = iso.getTrackSamplesInfo(track.id);
  // Our records, which every other program passes over (worker/mp4.py).
  const ours = "746f7563686c696e65e5f1a9c0de0001";
  return {
    error, said: [...new Set(said)].filter((text) => !text.includes(ours)), colours,
    width: track.video.width, height: track.video.height, codec: track.codec,
    duration_s: info.isFragmented
      ? Math.max(...samples.map((s) => s.dts + s.duration)) / track.timescale
      : track.movie_duration / track.movie_timescale,
    fragmented: info.isFragmented,
    samples: samples.map((s) => ({
      dts_s: s.dts / s.timescale, pts_s: s.cts / s.timescale, size: s.size, keyframe: s.is_sync,
    })),
  };
}

function hls() {
  const { parse, setOptions } = require("hls-parser");
  setOptions({ strictMode: true, silent: false });
  const list = parse(readFileSync(0, "utf8"));
  return {
    target_s: list.targetDuration, part_target_s: list.partTargetDuration ?? null,
    sequence: list.mediaSequenceBase ?? 0, ended: list.endlist,
    segments: list.segments.map((s) => ({
      uri: s.uri, duration_s: s.duration, discontinuity: s.discontinuity ?? false,
      map: s.map?.uri ?? null, date: s.programDateTime ? s.programDateTime.getTime() / 1000 : null,
      parts: s.parts.filter((p) => !p.hint).map((p) => ({ uri: p.uri, duration_s: p.duration })),
    })),
  };
}

console.log(JSON.stringify(what === "mp4" ? mp4() : hls()));
