import { useMemo } from "react";
import type { MatchEntry } from "../../api/capture";
import { words } from "../../messages";
import { ErrorNote } from "../../ui/basics";
import type { Subject } from "./ClipTools";
import { Highlights } from "./Highlights";
import { MarkerForm } from "./MarkerForm";
import { MarkerRow } from "./MarkerRow";
import styles from "./Player.module.css";
import type { Marking } from "./useMarking";

/** The markers of a match, with what can be made of each and of all. */
export function MarkerList({
  subject,
  entry,
  running,
  marking,
  at,
  lasts,
  onSeek,
}: {
  subject: Subject;
  entry: MatchEntry;
  running: boolean;
  marking: Marking;
  at: number;
  lasts: number;
  onSeek: (at: number) => void;
}) {
  const { markers, change, remove, changing } = marking;
  const actions = useMemo(() => ({ change, remove, changing }), [change, remove, changing]);
  const texts = words.player.markers;
  return (
    <section className={styles.group} aria-labelledby="player-markers">
      <h3 id="player-markers">{texts.title}</h3>
      <MarkerForm marking={marking} at={at} />
      <ErrorNote error={marking.failure} />
      {markers.length === 0 ? (
        <p className="muted small">{texts.none}</p>
      ) : (
        <>
          <Highlights subject={subject} entry={entry} running={running} count={markers.length} />
          <ul className={styles.group} tabIndex={-1}>
            {markers.map((marker) => (
              <MarkerRow
                key={marker.marker_id}
                marker={marker}
                actions={actions}
                subject={subject}
                lasts={lasts}
                onSeek={onSeek}
              />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
