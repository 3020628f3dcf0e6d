import { Trash2 } from "lucide-react";
import { useState } from "react";
import { type MatchEntry, useCameraName } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { dateTime, duration, mebibytes, number } from "../../lib/format";
import { words } from "../../messages";
import { Button, Card, Facts, Note, Switch } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { useDelete, useMoveToTrash, useTrash } from "./useTrash";

/** What the parts of a match's page are given. */
export type Part = { matchId: string; entry: MatchEntry; running: boolean; title: string };

/** The cameras of a match, as its files are named. */
export const camerasOf = (entry: MatchEntry) =>
  entry.files.filter(({ type }) => type === "segmented").map(({ file }) => file);

/** What was recorded: whether it is whole, what protects it, and how it is removed. */
export function Footage({ matchId, entry, running }: Part) {
  const { footage } = words.library;
  const { unknown } = words.format;
  const cameraName = useCameraName();
  const params = { path: { match_id: matchId } };
  const protect = useAction((wanted: boolean) =>
    ask(
      api.PUT("/api/v1/recordings/{match_id}/protection", {
        params,
        body: { protected: wanted },
      }),
    ),
  );
  const [verification, setVerification] = useState<Schema["Verification"] | null>(null);
  const verify = useAction(async () => {
    setVerification(await ask(api.POST("/api/v1/recordings/{match_id}/verify", { params })));
  });
  const isProtected = entry.protected === true;
  return (
    <Card title={footage.title}>
      <Facts
        facts={[
          [footage.began, dateTime(entry.started_at ?? entry.created_at)],
          [footage.length, entry.duration_s ? duration(entry.duration_s) : unknown],
          [footage.size, mebibytes(entry.total_size_mb)],
          [footage.cameras, camerasOf(entry).map(cameraName).join(", ") || unknown],
          [footage.gaps, entry.gaps ?? unknown],
          [footage.interruptions, entry.interruptions ?? unknown],
        ]}
      />
      {verification && <Verdict of={verification} cameraName={cameraName} />}
      <Switch
        label={footage.protect}
        checked={isProtected}
        disabled={running}
        onChange={(wanted) => {
          // Disabled meanwhile, it would lose the focus of the keyboard.
          if (!protect.isPending) protect.mutate(wanted);
        }}
      />
      <div className="row">
        <Button disabled={verify.isPending} onClick={() => verify.mutate(undefined)}>
          {verify.isPending ? footage.verifying : footage.verify}
        </Button>
        <Remove matchId={matchId} entry={entry} disabled={running || isProtected} />
      </div>
      {running && <p className="muted small">{footage.inUse}</p>}
      {!running && isProtected && <p className="muted small">{footage.isProtected}</p>}
    </Card>
  );
}

/** Moves the match to the trash; where the server keeps none, deletes it for good. */
function Remove({
  matchId,
  entry,
  disabled,
}: {
  matchId: string;
  entry: MatchEntry;
  disabled: boolean;
}) {
  const text = words.library.trash;
  const hasTrash = useTrash().data?.days !== 0;
  const move = useMoveToTrash();
  const remove = useDelete(mebibytes(entry.total_size_mb));
  const match = { id: "", match_id: matchId, details: entry.details ?? null };
  return (
    <Button
      disabled={disabled || move.isPending || remove.isPending}
      onClick={() => (hasTrash ? move.mutate(matchId) : remove.mutate(match))}
    >
      <Trash2 size={16} aria-hidden /> {hasTrash ? text.move : text.purge}
    </Button>
  );
}

function Verdict({
  of,
  cameraName,
}: {
  of: Schema["Verification"];
  cameraName: (camera: string) => string;
}) {
  const { footage } = words.library;
  const frames = Object.values(of.cameras).reduce((sum, camera) => sum + camera.frames, 0);
  if (of.ok) return <Note tone="good" title={footage.intact(number(frames))} />;
  return (
    <Note tone="bad" title={footage.faults(of.faults.length)} alert>
      <ul>
        {of.faults.slice(0, 10).map(({ segment, code, fragment, camera, what }) => (
          <li key={`${segment}${code}${fragment}`}>
            {footage.fault(cameraName(camera), segment, what)}
          </li>
        ))}
      </ul>
      {footage.rest}
    </Note>
  );
}
