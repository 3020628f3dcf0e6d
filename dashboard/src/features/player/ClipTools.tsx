import { Scissors } from "lucide-react";
import { matchPath } from "../../api/capture";
import { clock } from "../../lib/format";
import { Button } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { DownloadButton } from "../../ui/DownloadButton";
import type { Source } from "./sources";

/** What is to be cut out, in seconds of the match. */
export type Range = { from: number | null; to: number | null };

export function ClipTools({
  matchId,
  at,
  range,
  setRange,
  camera,
  sources,
}: {
  matchId: string;
  at: number;
  range: Range;
  setRange: (range: Range) => void;
  camera: string;
  sources: Source[];
}) {
  const { from, to } = range;
  const ready = from !== null && to !== null && to > from;
  const query = new URLSearchParams({
    camera,
    start: (from ?? 0).toFixed(3),
    end: (to ?? 0).toFixed(3),
  });
  const url = `${matchPath(matchId, "clip")}?${query}`;
  const name = `${matchId} ${camera} ${clock(from ?? 0)}.mp4`.replaceAll(":", ".");
  return (
    <fieldset className="row" style={{ border: 0, margin: 0, padding: 0 }}>
      <legend className="sr-only">Clip</legend>
      <Scissors size={18} aria-hidden />
      <Button
        size="small"
        onClick={() => setRange({ from: at, to: to !== null && to > at ? to : null })}
      >
        Clip from here{from !== null && ` (${clock(from)})`}
      </Button>
      <Button size="small" disabled={from === null} onClick={() => setRange({ from, to: at })}>
        to here{to !== null && ` (${clock(to)})`}
      </Button>
      <DownloadButton disabled={!ready} url={url} name={name}>
        Clip of {sources.find(({ id }) => id === camera)?.name ?? camera}
      </DownloadButton>
      <CopyLink disabled={!ready} path={url} label="the clip" icon />
      {from !== null && (
        <Button size="small" tone="quiet" onClick={() => setRange({ from: null, to: null })}>
          Clear
        </Button>
      )}
    </fieldset>
  );
}
