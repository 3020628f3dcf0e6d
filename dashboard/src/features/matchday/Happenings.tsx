import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { declined, errorWords } from "../../lib/errorWords";
import { type Event, isOfMatch, newestOfMatch, toneOf } from "../../lib/events";
import { timeOfDay } from "../../lib/format";
import { titleOf } from "../../lib/matchName";
import { nameOfCamera } from "../../lib/problems";
import { words } from "../../messages";
import { Card, Empty } from "../../ui/basics";
import styles from "./matchday.module.css";

type Camera = Schema["CameraStatus"];

const MOST_HAPPENINGS = 8;

/**
 * What was lost and recovered, and when. The channel has the newest of all events, among which
 * those of a busy fleet crowd out the match's: the log is asked for these alone.
 */
export function Happenings({ cameras }: { cameras: readonly Camera[] }) {
  const { happened } = words.matchday;
  const told = (useChannel("events") ?? []).filter(isOfMatch);
  const newest = told[0];
  const kept = useQuery({
    queryKey: ["happenings", newest?.timestamp, newest?.id],
    placeholderData: (before) => before,
    queryFn: async () => {
      const wanted = [
        { category: "alert" },
        { event_type: "recording" },
        { event_type: "processing" },
      ] satisfies { category?: Event["category"]; event_type?: Event["event_type"] }[];
      return Promise.all(
        wanted.map((query) =>
          ask(api.GET("/events", { params: { query: { ...query, limit: MOST_HAPPENINGS } } })),
        ),
      );
    },
  });
  const those = newestOfMatch([told, ...(kept.data ?? [])], MOST_HAPPENINGS);
  return (
    <Card title={happened.title} tools={<Link href="/system?tab=events">{happened.all}</Link>}>
      {those.length === 0 ? (
        <Empty>{happened.none}</Empty>
      ) : (
        <ul className="stack small">
          {those.map((event) => (
            <li
              key={`${event.timestamp} ${event.message}`}
              className={styles.happening}
              data-tone={toneOf(event)}
            >
              <span className={styles.mark} aria-hidden />
              <time className="muted number" dateTime={event.timestamp}>
                {timeOfDay(event.timestamp)}
              </time>
              <span>{inWords(event, cameras)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** An event in plain words; one that has none is told in the server's. */
export function inWords(event: Event, cameras: readonly Camera[]): string {
  const { event_type: type, details, message } = event;
  const { alerts, aCamera } = words.matchday.happened;
  if (!Object.hasOwn(alerts, type)) return ofMatch(event) ?? message;
  const { camera_id: id } = details;
  const camera = typeof id === "number" ? nameOfCamera(`camera_${id}`, cameras) : aCamera;
  return alerts[type as keyof typeof alerts](camera);
}

/** What became of a recording, or was made of it. */
function ofMatch({ event_type: type, category, details, message }: Event): string | null {
  const { match_id: id, kind, code } = details;
  const why = typeof code === "string" ? errorWords(declined({ message, code })).what : null;
  if (type === "recording" && category === "disk") return why;
  if (typeof id !== "string") return null;
  const { adopted, started, stopped, refused, made } = words.matchday.happened;
  const title = titleOf(id);
  if (type === "recording") {
    if (category === "refused") return why && refused(title, why);
    const tells = Object.entries({ adopted, started, stopped }).find(([each]) => each === category);
    return tells ? tells[1](title) : null;
  }
  const { kinds } = words.library.job;
  if (category !== "finished" || typeof kind !== "string" || !Object.hasOwn(kinds, kind))
    return null;
  return made(kinds[kind as keyof typeof kinds], title);
}
