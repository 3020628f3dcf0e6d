import { useQuery } from "@tanstack/react-query";
import { api, ask, type Schema } from "../../api/http";
import { Badge, Button, ErrorNote, Loading, type Tone } from "../../ui/basics";

const FINDING_TONES: Record<Schema["Finding"]["state"], Tone> = {
  ok: "good",
  info: "info",
  warn: "warn",
  missing: "bad",
};

export function Checks() {
  const check = useQuery({
    queryKey: ["check"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => ask(api.GET("/api/v1/check")),
  });
  return (
    <div className="stack">
      <div className="row">
        <Button disabled={check.isFetching} onClick={() => void check.refetch()}>
          {check.isFetching ? "Checking…" : "Check again"}
        </Button>
        {check.data &&
          (check.data.ok ? (
            <Badge tone="good">nothing that is needed is missing</Badge>
          ) : (
            <Badge tone="bad">something is missing</Badge>
          ))}
      </div>
      <ErrorNote error={check.error} />
      {check.isPending && <Loading what="Looking at elements, permissions, disk and Docker…" />}
      <ul className="stack">
        {check.data?.findings.map((finding) => (
          <li key={`${finding.what}${finding.message}`} className="card">
            <div className="row">
              <Badge tone={FINDING_TONES[finding.state]}>{finding.state}</Badge>
              <strong>{finding.what}</strong>
              <span className="grow">{finding.message}</span>
            </div>
            {finding.mend && finding.state !== "ok" && <code>{finding.mend}</code>}
          </li>
        ))}
      </ul>
    </div>
  );
}
