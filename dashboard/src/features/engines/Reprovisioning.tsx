import type { Schema } from "../../api/http";
import { Note, Progress } from "../../ui/basics";

export function Reprovisioning({ status }: { status: Schema["ReprovisionStatus"] }) {
  const total = Math.max(1, status.total_engines);
  return (
    <Note title={status.message} tone={status.status === "error" ? "bad" : "info"}>
      <Progress label="Engines replaced" value={status.engines_stopped / total} />
    </Note>
  );
}
