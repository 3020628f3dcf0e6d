import { useState } from "react";
import { MARKERS, type MarkerKind, markerName } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { clock } from "../../lib/format";
import { Button } from "../../ui/basics";
import { useAction } from "../../ui/feedback";

export function MarkerList({
  matchId,
  markers,
  at,
  onSeek,
  changed,
}: {
  matchId: string;
  markers: Schema["MarkerState"][];
  at: number;
  onSeek: (at: number) => void;
  changed: () => void;
}) {
  const [kind, setKind] = useState<MarkerKind>("goal");
  const [text, setText] = useState("");
  const path = { match_id: matchId };
  const add = useAction(
    () =>
      ask(
        api.POST("/api/v1/recordings/{match_id}/markers", {
          params: { path },
          body: { kind, text, team: "", at, seconds_ago: 0 },
        }),
      ),
    {
      done: (made) => `${markerName(made.kind)} at ${clock(made.at)}`,
      after: () => {
        setText("");
        changed();
      },
    },
  );
  const remove = useAction(
    (marker: Schema["MarkerState"]) =>
      ask(
        api.DELETE("/api/v1/recordings/{match_id}/markers/{marker_id}", {
          params: { path: { ...path, marker_id: marker.marker_id } },
        }),
      ),
    {
      asks: (marker: Schema["MarkerState"]) => ({
        title: `Remove the marker at ${clock(marker.at)}?`,
        body: `${markerName(marker.kind)} ${marker.text}`,
        action: "Remove",
        danger: true,
      }),
      after: changed,
    },
  );
  return (
    <section className="stack" aria-label="Markers">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate(undefined);
        }}
      >
        <select
          className="input"
          style={{ width: "auto" }}
          aria-label="Kind of marker"
          value={kind}
          onChange={(event) => setKind(event.target.value as MarkerKind)}
        >
          {MARKERS.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        <input
          className="input"
          style={{ width: 220 }}
          aria-label="What happened"
          placeholder="What happened"
          maxLength={200}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" disabled={add.isPending}>
          Mark {clock(at)}
        </Button>
      </form>
      <ul className="stack">
        {markers.map((marker) => (
          <li key={marker.marker_id} className="row">
            <Button size="small" onClick={() => onSeek(Math.max(0, marker.at - 3))}>
              {clock(marker.at)}
            </Button>
            <span className="grow">
              {markerName(marker.kind)} {marker.text}
            </span>
            <Button
              size="small"
              tone="quiet"
              aria-label={`Remove the marker at ${clock(marker.at)}`}
              onClick={() => remove.mutate(marker)}
            >
              ✕
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
