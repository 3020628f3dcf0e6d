import { matchPath } from "../../api/capture";
import { clock } from "../../lib/format";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { ClipButtons } from "./ClipButtons";
import { clipName, clipPath, cutOf, pageLink, type Range } from "./clips";
import styles from "./Player.module.css";
import type { Source } from "./sources";

/** What of a match clips are cut from, and what they are called. */
export type Subject = {
  matchId: string;
  title: string;
  camera: string;
  setCamera: (camera: string) => void;
  sources: Source[];
  shown: Source[];
};

export function ClipTools({
  subject,
  at,
  range,
  setRange,
  onStart,
  onEnd,
}: {
  subject: Subject;
  at: number;
  range: Range;
  setRange: (range: Range) => void;
  onStart: () => void;
  onEnd: () => void;
}) {
  const { clip } = words.player;
  const { matchId, title, camera } = subject;
  const { from, to } = range;
  const cut = cutOf(range);
  const begins = from ?? at;
  return (
    <section className={styles.group} aria-labelledby="player-clip">
      <h3 id="player-clip">{clip.title}</h3>
      <div className="row">
        <Button size="small" onClick={onStart}>
          {from === null ? clip.start : clip.startAt(clock(from))}
        </Button>
        <Button size="small" onClick={onEnd}>
          {to === null ? clip.end : clip.endAt(clock(to))}
        </Button>
        {(from !== null || to !== null) && (
          <Button size="small" tone="quiet" onClick={() => setRange({ from: null, to: null })}>
            {clip.clear}
          </Button>
        )}
        <span className="small muted number">{lengthOf(range)}</span>
      </div>
      <div className="row">
        <PictureOfClip {...subject} />
        <ClipButtons
          disabled={!cut}
          url={cut ? clipPath(matchId, camera, cut) : ""}
          name={clipName(title, begins)}
          texts={{ save: clip.save, share: clip.share }}
        />
        <CopyLink link={pageLink(matchId, begins)} label={clip.ofMoment(clock(begins))} />
      </div>
      <OtherPlayers subject={subject} path={cut ? clipPath(matchId, camera, cut) : null} />
    </section>
  );
}

/** How long the clip is, or what it lacks. */
function lengthOf(range: Range): string {
  const { clip } = words.player;
  const cut = cutOf(range);
  if (cut) return clip.length(preciseClock(cut.to - cut.from));
  return range.from !== null && range.to !== null ? clip.backwards : clip.choose;
}

/** A length to the tenth of a second: `0:08.4`. */
function preciseClock(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  return `${clock(Math.floor(tenths / 10))}.${tenths % 10}`;
}

function PictureOfClip({ camera, setCamera, sources }: Subject) {
  if (sources.length < 2) return null;
  return (
    <select
      className={`input ${styles.narrow}`}
      aria-label={words.player.clip.picture}
      value={camera}
      onChange={(event) => setCamera(event.target.value)}
    >
      {sources.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Signed links that other players open. */
function OtherPlayers({ subject, path }: { subject: Subject; path: string | null }) {
  const { clip } = words.player;
  return (
    <details className="small">
      <summary>{clip.other}</summary>
      <div className={styles.group}>
        <p className="muted">{clip.otherMore}</p>
        {subject.shown.map(({ id, name }) => (
          <div key={id} className="row between">
            <span>{clip.ofPicture(name)}</span>
            <CopyLink path={matchPath(subject.matchId, "vod", `${id}.m3u8`)} label={name} />
          </div>
        ))}
        {path && (
          <div className="row between">
            <span>{clip.title}</span>
            <CopyLink path={path} label={clip.ofClip} />
          </div>
        )}
      </div>
    </details>
  );
}
