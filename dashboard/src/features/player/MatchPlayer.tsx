import { useEffect, useRef, useState } from "react";
import { type MatchEntry, markerName, matchPath, useMarkers } from "../../api/capture";
import { Card, Choice, Note } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { ClipTools, type Range } from "./ClipTools";
import { MarkerList } from "./MarkerList";
import { Scrubber } from "./Scrubber";
import { type Source, sourcesOf } from "./sources";
import { Rate, Transport } from "./Transport";
import { usePlayback } from "./usePlayback";
import { useThumbnails } from "./useThumbnails";

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
  const playback = usePlayback(matchId, entry.duration_s ?? 0);
  const { at, lasts, playing, seek, play } = playback;
  const [range, setRange] = useState<Range>({ from: null, to: null });
  const markers = useMarkers(matchId);
  const { sheet, thumbnails } = useThumbnails(matchId, !running, shown, sources);
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
      <Failures shown={shown} failures={playback.failures} />
      <div className="videos">
        {shown.map(({ id, name }) => (
          <Picture
            key={id}
            id={id}
            name={name}
            attach={playback.attach}
            onToggle={() => play(!playing)}
          />
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
        <Transport at={at} lasts={lasts} playing={playing} onPlay={play} onStep={playback.step} />
        <Links matchId={matchId} shown={shown} />
        <Rate rate={playback.rate} onChange={playback.changeRate} />
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

function allOf(cameras: number): string {
  return cameras === 2 ? "Both cameras" : "All cameras";
}

function Failures({ shown, failures }: { shown: Source[]; failures: Record<string, string> }) {
  return shown
    .filter(({ id }) => Object.hasOwn(failures, id))
    .map(({ id, name }) => (
      <Note key={id} tone="bad" alert title={`It cannot be played: ${name}`}>
        {failures[id]}. The footage is not touched by this; it can be downloaded below.
      </Note>
    ));
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

/** What plays the same in another program. */
function Links({ matchId, shown }: { matchId: string; shown: Source[] }) {
  return (
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
  );
}
