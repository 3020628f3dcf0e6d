import { Flag, Undo2 } from "lucide-react";
import { useState } from "react";
import { type MarkerKind, markerName, markerNames, useMarkers } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { clock } from "../../lib/format";
import { useKeptInTab } from "../../lib/kept";
import { words } from "../../messages";
import { Badge, Button } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import styles from "./matchday.module.css";

const DELAYS = [0, 5, 10, 20] as const;
const FELT_MS = 40;
const FAILED_MS = [60, 60, 60];

/** Buttons that mark what happens, within reach of a thumb, and how to take the last one back. */
export function Moments({ matchId }: { matchId: string }) {
  const texts = words.matchday.moments;
  const [secondsAgo, setSecondsAgo] = useState<number>(5);
  const [last, setLast] = useKeptInTab<Schema["MarkerState"] | null>(
    `last mark of ${matchId}`,
    null,
  );
  const markers = useMarkers(matchId);
  const { mark, remove } = useMarking(matchId, setLast, () => void markers.refetch());
  const earlier = (markers.data ?? [])
    .filter(({ marker_id }) => marker_id !== last?.marker_id)
    .slice(-5)
    .reverse();
  return (
    <section className={`card ${styles.moments}`} aria-labelledby="mark-a-moment">
      <div className={styles.momentsHead}>
        <h2 id="mark-a-moment">{texts.title}</h2>
        <fieldset className={styles.delays}>
          <legend className="sr-only">{texts.when}</legend>
          {DELAYS.map((seconds) => (
            <Button
              key={seconds}
              aria-pressed={secondsAgo === seconds}
              onClick={() => setSecondsAgo(seconds)}
            >
              {seconds ? texts.ago(seconds) : texts.now}
            </Button>
          ))}
        </fieldset>
      </div>
      <div className={styles.markers}>
        {markerNames().map(([kind, name]) => (
          <Button key={kind} onClick={() => mark.mutate({ kind, secondsAgo })}>
            <Flag size={14} aria-hidden /> {name}
          </Button>
        ))}
      </div>
      <div className={styles.marked}>
        <span role="status">
          {mark.isError ? texts.notMade : last && texts.made(markerName(last.kind), clock(last.at))}
        </span>
        {last && !mark.isError && (
          <Button disabled={remove.isPending} onClick={() => remove.mutate(last.marker_id)}>
            <Undo2 size={16} aria-hidden /> {texts.undo}
          </Button>
        )}
        {earlier.length > 0 && (
          <ul className={styles.earlier} aria-label={texts.newest}>
            {earlier.map((marker) => (
              <li key={marker.marker_id}>
                <Badge>
                  {clock(marker.at)} {markerName(marker.kind)}
                </Badge>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

/** Marks moments of a match and takes them back; a device that can vibrates with each. */
function useMarking(
  matchId: string,
  setLast: (marker: Schema["MarkerState"] | null) => void,
  after: () => void,
) {
  const path = { match_id: matchId };
  const remove = useAction(
    async (markerId: string) => {
      await ask(
        api.DELETE("/api/v1/recordings/{match_id}/markers/{marker_id}", {
          params: { path: { ...path, marker_id: markerId } },
        }),
      );
      setLast(null);
    },
    { after },
  );
  const mark = useAction(
    async ({ kind, secondsAgo }: { kind: MarkerKind; secondsAgo: number }) => {
      navigator.vibrate?.(FELT_MS);
      const body = { kind, text: "", team: "", seconds_ago: secondsAgo };
      setLast(
        await ask(api.POST("/api/v1/recordings/{match_id}/markers", { params: { path }, body })),
      );
    },
    { after, failed: () => navigator.vibrate?.(FAILED_MS) },
  );
  return { mark, remove };
}
