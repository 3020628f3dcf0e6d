import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { useMatchTitle } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { type Event, isOfMatch, newestOfMatch, toneOf } from "../../lib/events";
import { eventInWords } from "../../lib/eventWords";
import { timeOfDay } from "../../lib/format";
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
  const titleOf = useMatchTitle();
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
              <span>{eventInWords(event, cameras, titleOf)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
