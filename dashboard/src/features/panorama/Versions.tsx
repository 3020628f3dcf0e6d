import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMatchTitle } from "../../api/capture";
import { api, ask, askDone, type Schema } from "../../api/http";
import { ago } from "../../lib/format";
import { qualityInWords } from "../../lib/quality";
import { words } from "../../messages";
import { Badge, Button, Card, Empty, ErrorNote } from "../../ui/basics";
import { useAction } from "../../ui/feedback";

/** The stored calibrations, any of which can be used again. */
export function Versions({ active }: { active: number | null }) {
  const queries = useQueryClient();
  const list = useQuery({
    queryKey: ["calibrations"],
    queryFn: () => ask(api.GET("/api/v1/panorama/calibrations")),
  });
  const after = () => void queries.invalidateQueries({ queryKey: ["calibrations"] });
  const text = words.panorama.versions;
  const used = useAction(
    (version: number) =>
      askDone(
        api.POST("/api/v1/panorama/calibrations/{version}/activate", {
          params: { path: { version } },
        }),
      ),
    { done: (_, version) => words.panorama.compare.used(version), after },
  );
  const drop = useAction(() => askDone(api.DELETE("/api/v1/panorama/calibration")), {
    asks: () => ({ title: text.offAsk, body: text.offBody, action: text.off, danger: true }),
    done: () => text.isOff,
    after,
  });
  const calibrations = list.data?.calibrations ?? [];
  return (
    <Card
      title={text.title}
      tools={
        active !== null && (
          <Button size="small" onClick={() => drop.mutate(undefined)}>
            {text.off}
          </Button>
        )
      }
    >
      <ErrorNote error={list.error} />
      {calibrations.length === 0 ? (
        <Empty>{text.empty}</Empty>
      ) : (
        <ul className="stack">
          {calibrations.map((each) => (
            <Entry
              key={each.version}
              entry={each}
              isActive={each.version === active}
              onUse={() => used.mutate(each.version)}
            />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Entry({
  entry: { version, quality, created_at, source },
  isActive,
  onUse,
}: {
  entry: Schema["CalibrationEntry"];
  isActive: boolean;
  onUse: () => void;
}) {
  const text = words.panorama.versions;
  const titleOf = useMatchTitle();
  return (
    <li className="row between">
      <span>
        {text.entry(version, qualityInWords({ quality_score: quality.score }).word)},{" "}
        <span className="muted">
          {ago(created_at)}, {source === "cameras" ? text.cameras : text.from(titleOf(source))}
        </span>
      </span>
      {isActive ? (
        <Badge tone="good">{text.inUse}</Badge>
      ) : (
        <Button size="small" aria-label={text.chooseNumber(version)} onClick={onUse}>
          {text.choose}
        </Button>
      )}
    </li>
  );
}
