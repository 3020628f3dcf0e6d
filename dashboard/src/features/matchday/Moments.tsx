import { Flag } from "lucide-react";
import { useState } from "react";
import { MARKERS, type MarkerKind, markerName, useMarkers } from "../../api/capture";
import { api, ask } from "../../api/http";
import { clock } from "../../lib/format";
import { Badge, Button, Card } from "../../ui/basics";
import { useAction, useFeedback } from "../../ui/feedback";

const DELAYS = [0, 5, 10, 20] as const;

export function Moments({ matchId }: { matchId: string }) {
  const [secondsAgo, setSecondsAgo] = useState<number>(5);
  const { tell } = useFeedback();
  const markers = useMarkers(matchId);
  const path = { match_id: matchId };
  const after = () => void markers.refetch();
  const remove = useAction(
    (markerId: string) =>
      ask(
        api.DELETE("/api/v1/recordings/{match_id}/markers/{marker_id}", {
          params: { path: { ...path, marker_id: markerId } },
        }),
      ),
    { after },
  );
  const mark = useAction(
    async (kind: MarkerKind) => {
      const made = await ask(
        api.POST("/api/v1/recordings/{match_id}/markers", {
          params: { path },
          body: { kind, text: "", team: "", seconds_ago: secondsAgo },
        }),
      );
      tell(`${markerName(kind)} at ${clock(made.at)}`, {
        undo: () => remove.mutate(made.marker_id),
      });
    },
    { after },
  );
  const newest = (markers.data ?? []).slice(-6).reverse();
  return (
    <Card
      title="Mark a moment"
      tools={
        <fieldset className="row plain">
          <legend className="sr-only">How long ago it was</legend>
          {DELAYS.map((seconds) => (
            <Button
              key={seconds}
              size="small"
              aria-pressed={secondsAgo === seconds}
              onClick={() => setSecondsAgo(seconds)}
            >
              {seconds ? `${seconds} s ago` : "now"}
            </Button>
          ))}
        </fieldset>
      }
    >
      <div className="markers">
        {MARKERS.map(([kind, name]) => (
          <Button key={kind} onClick={() => mark.mutate(kind)}>
            <Flag size={14} aria-hidden /> {name}
          </Button>
        ))}
      </div>
      {newest.length > 0 && (
        <ul className="row small muted" aria-label="Newest markers">
          {newest.map((marker) => (
            <li key={marker.marker_id}>
              <Badge>
                {clock(marker.at)} {markerName(marker.kind)}
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
