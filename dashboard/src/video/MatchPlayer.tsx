import { useQuery } from "@tanstack/react-query";
import { Pause, Play, SkipBack, SkipForward } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { type MatchEntry, markerName, matchPath, useMarkers } from "../api/capture";
import { api, ask } from "../api/http";
import { clock } from "../lib/format";
import { parseThumbnails } from "../lib/vtt";
import { Button, Card, Choice, Note } from "../ui/basics";
import { CopyLink } from "../ui/CopyLink";
import { ClipTools, type Range } from "./ClipTools";
import { playHls, type Stretch } from "./hls";
import { MarkerList } from "./MarkerList";
import { Scrubber } from "./Scrubber";
import { correction, filmedAt, timeOf } from "./sync";

export type Source = { id: string; name: string };
type Track = { video: HTMLVideoElement; stretches: Stretch[] };

const RATES = ["0.25", "0.5", "1", "1.5", "2", "4"] as const;
const TICK_MS = 150;

export function sourcesOf(entry: MatchEntry): Source[] {
  const cameras = entry.files
    .filter((file) => file.type === "segmented" && file.file.startsWith("cam"))
    .map((file) => ({ id: file.file, name: `Camera ${file.file.slice(3)}` }));
  const made = [
    { id: "panorama", name: "Panorama" },
    { id: "follow", name: "Following cut" },
  ].filter(({ id }) => entry.files.some((file) => file.file === `${id}_archive.mp4`));
  return [...cameras, ...made];
}

/** Whose thumbnails suit what is shown: its own, or those of any source that has some. */
export function thumbnailsOf(
  shown: readonly Source[],
  sources: readonly Source[],
  sheets: Readonly<Record<string, unknown>>,
): string | undefined {
  return [...shown, ...sources].find(({ id }) => Object.hasOwn(sheets, id))?.id;
}

/** Plays a match by its own clock: all pictures that are shown show the same instant. */
export function MatchPlayer({
  matchId,
  entry,
  running,
}: {
  matchId: string;
  entry: MatchEntry;
  running: boolean;
}) {
  const sources = sourcesOf(entry);
  const cameras = sources.filter(({ id }) => id.startsWith("cam"));
  const [shows, setShows] = useState("both");
  const shown = shows === "both" ? cameras : sources.filter(({ id }) => id === shows).slice(0, 1);
  // A match that runs, or whose manifest is lost, is as long as its footage says.
  const [footage, setFootage] = useState<number | null>(null);
  const lasts = Math.max(0.1, entry.duration_s ?? 0, footage ?? 0);
  const tracks = useRef(new Map<string, Track>());
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [rate, setRate] = useState("1");
  // By picture: one that stays when others are chosen has failed all the same.
  const [failures, setFailures] = useState<Record<string, string>>({});
  const [range, setRange] = useState<Range>({ from: null, to: null });
  const wanted = useRef({ at: 0, playing: false, rate: 1 });

  const seek = useCallback(
    (to: number) => {
      const within = Math.min(Math.max(0, to), lasts);
      wanted.current.at = within;
      setAt(within);
      for (const { video, stretches } of tracks.current.values()) {
        const time = timeOf(stretches, within);
        if (time !== null) video.currentTime = time;
      }
    },
    [lasts],
  );
  const play = useCallback((on: boolean) => {
    wanted.current.playing = on;
    setPlaying(on);
    for (const { video } of tracks.current.values()) {
      if (on)
        video.play().catch(() => undefined); // paused again before it began
      else video.pause();
    }
  }, []);
  const changeRate = (text: string) => {
    setRate(text);
    wanted.current.rate = Number(text);
    for (const { video } of tracks.current.values()) video.playbackRate = Number(text);
  };

  // The first picture leads; the others follow it.
  useEffect(() => {
    const timer = setInterval(() => {
      const [first, ...others] = tracks.current.values();
      if (!first) return;
      const instant = filmedAt(first.stretches, first.video.currentTime);
      if (instant === null) return;
      if (first.video.ended && wanted.current.playing) play(false);
      if (!first.video.seeking) {
        wanted.current.at = instant;
        setAt(Math.min(lasts, Math.max(0, instant)));
      }
      for (const other of others) {
        const time = timeOf(other.stretches, instant);
        if (time === null || other.video.seeking) continue;
        const { seek: jump, rate: to } = correction(
          time - other.video.currentTime,
          wanted.current.rate,
        );
        if (jump) other.video.currentTime = time;
        if (other.video.playbackRate !== to) other.video.playbackRate = to;
      }
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [lasts, play]);

  const attach = useCallback(
    (id: string, video: HTMLVideoElement) => {
      const track: Track = { video, stretches: [] };
      tracks.current.set(id, track);
      const end = playHls(video, matchPath(matchId, "vod", `${id}.m3u8`), {
        live: false,
        failed: (reason) => setFailures((known) => ({ ...known, [id]: reason })),
        timed: (stretches) => {
          const isFirst = track.stretches.length === 0;
          track.stretches = stretches;
          setFootage((known) => Math.max(known ?? 0, endOf(stretches)));
          if (!isFirst) return;
          // What is shown later begins where the others are.
          const time = timeOf(stretches, wanted.current.at);
          if (time !== null && wanted.current.at > 0) video.currentTime = time;
          video.playbackRate = wanted.current.rate;
          if (wanted.current.playing) video.play().catch(() => undefined);
        },
      });
      return () => {
        tracks.current.delete(id);
        setFailures(({ [id]: _, ...others }) => others);
        end();
      };
    },
    [matchId],
  );

  const markers = useMarkers(matchId);
  const { sheet, thumbnails } = useThumbnails(matchId, !running, shown, sources);
  const step = (by: number) => seek(wanted.current.at + by);
  if (sources.length === 0) {
    return <Note title="This match has no footage that can be played here" />;
  }
  return (
    <Card
      title="Watch"
      tools={
        <Choice
          label="Picture"
          value={shows}
          onChange={(event) => setShows(event.target.value)}
          options={[
            ...(cameras.length > 1 ? [["both", allOf(cameras.length)] as const] : []),
            ...sources.map(({ id, name }) => [id, name] as const),
          ]}
        />
      }
    >
      {shown
        .filter(({ id }) => Object.hasOwn(failures, id))
        .map(({ id, name }) => (
          <Note key={id} tone="bad" alert title={`It cannot be played: ${name}`}>
            {failures[id]}. The footage is not touched by this; it can be downloaded below.
          </Note>
        ))}
      <div className="videos">
        {shown.map(({ id, name }) => (
          <Picture key={id} id={id} name={name} attach={attach} onToggle={() => play(!playing)} />
        ))}
      </div>
      <Scrubber
        at={at}
        lasts={lasts}
        onSeek={seek}
        markers={(markers.data ?? []).map(({ marker_id, at: when, kind, text }) => ({
          id: marker_id,
          at: when,
          title: `${markerName(kind)}${text ? `: ${text}` : ""}`,
        }))}
        range={range}
        sheet={sheet}
        thumbnails={thumbnails}
      />
      <div className="row between">
        <div className="row">
          <Button icon aria-label="Ten seconds back" onClick={() => step(-10)}>
            <SkipBack size={18} aria-hidden />
          </Button>
          <Button
            tone="primary"
            icon
            aria-label={playing ? "Pause" : "Play"}
            onClick={() => play(!playing)}
          >
            {playing ? <Pause size={20} aria-hidden /> : <Play size={20} aria-hidden />}
          </Button>
          <Button icon aria-label="Ten seconds on" onClick={() => step(10)}>
            <SkipForward size={18} aria-hidden />
          </Button>
          <span className="number">
            {clock(at)} / {clock(lasts)}
          </span>
        </div>
        <div className="row">
          {shown.map(({ id, name }) => (
            <CopyLink
              key={id}
              path={matchPath(matchId, "vod", `${id}.m3u8`)}
              label={name}
              icon={shown.length > 1}
            />
          ))}
        </div>
        <label className="row small">
          Speed
          <select
            className="input"
            style={{ width: "auto" }}
            value={rate}
            onChange={(event) => changeRate(event.target.value)}
          >
            {RATES.map((each) => (
              <option key={each} value={each}>
                {each}×
              </option>
            ))}
          </select>
        </label>
      </div>
      <ClipTools
        matchId={matchId}
        at={at}
        range={range}
        setRange={setRange}
        camera={shown[0]?.id ?? "cam0"}
        sources={sources}
      />
      <MarkerList
        matchId={matchId}
        markers={markers.data ?? []}
        at={at}
        onSeek={seek}
        changed={() => void markers.refetch()}
      />
    </Card>
  );
}

/** The second of the match at which the footage ends. */
function endOf(stretches: Stretch[]): number {
  const last = stretches[stretches.length - 1];
  return last ? last.filmedAt + last.duration : 0;
}

function Picture({
  id,
  name,
  attach,
  onToggle,
}: {
  id: string;
  name: string;
  attach: (id: string, video: HTMLVideoElement) => () => void;
  onToggle: () => void;
}) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (video.current ? attach(id, video.current) : undefined), [id, attach]);
  return (
    <div className={`video ${id === "panorama" ? "wide" : ""}`}>
      <div className="video-label">
        <span>{name}</span>
      </div>
      <video
        ref={video}
        muted
        playsInline
        aria-label={name}
        data-source={id}
        onClick={onToggle}
        onKeyDown={(event) => event.key === " " && onToggle()}
      />
    </div>
  );
}

function allOf(cameras: number): string {
  return cameras === 2 ? "Both cameras" : "All cameras";
}

/** Thumbnails of what is shown, where they were made. */
function useThumbnails(matchId: string, enabled: boolean, shown: Source[], sources: Source[]) {
  const made = useQuery({
    queryKey: ["matches", "made", matchId],
    enabled,
    queryFn: () =>
      ask(
        api.GET("/api/v1/recordings/{match_id}/made", { params: { path: { match_id: matchId } } }),
      ),
  });
  const sheets = made.data?.made.sprites?.sheets as Record<string, unknown> | undefined;
  const source = thumbnailsOf(shown, sources, sheets ?? {});
  const thumbnails = useQuery({
    queryKey: ["thumbnails", matchId, source],
    enabled: source !== undefined,
    queryFn: async () => {
      const answer = await fetch(matchPath(matchId, "files", `${source}_sprites.vtt`));
      return answer.ok ? parseThumbnails(await answer.text()) : [];
    },
  });
  return {
    sheet: source === undefined ? "" : matchPath(matchId, "files", `${source}_sprites.jpg`),
    thumbnails: thumbnails.data ?? [],
  };
}
