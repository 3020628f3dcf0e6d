import { useQuery } from "@tanstack/react-query";
import { api, ask, type Schema } from "../../api/http";
import { words } from "../../messages";
import { Badge, Button, ErrorNote, Loading, type Tone } from "../../ui/basics";
import { CopyButton } from "../../ui/CopyButton";
import styles from "./System.module.css";

type Finding = Schema["Finding"];

const TONES: Record<Finding["state"], Tone> = {
  ok: "good",
  info: "info",
  warn: "warn",
  missing: "bad",
};
/** What is to be done first stands first. */
const ORDER: readonly Finding["state"][] = ["missing", "warn", "info", "ok"];

/** Whether everything is there that the settings need, and how to get what is not. */
export function Checks() {
  const check = useQuery({
    queryKey: ["check"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => ask(api.GET("/api/v1/check")),
  });
  const text = words.system.check;
  const findings = [...(check.data?.findings ?? [])].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state),
  );
  const missing = findings.filter((finding) => finding.state === "missing").length;
  return (
    <div className="stack">
      <div className="row">
        <Button disabled={check.isFetching} onClick={() => void check.refetch()}>
          {check.isFetching ? text.checking : text.again}
        </Button>
        <span role="status">
          {check.data &&
            (check.data.ok ? (
              <Badge tone="good">{text.allThere}</Badge>
            ) : (
              <Badge tone="bad">{text.missing(missing)}</Badge>
            ))}
        </span>
      </div>
      <ErrorNote error={check.error} />
      {check.isPending && <Loading what={text.looking} />}
      <ul className="stack">
        {findings.map((finding) => (
          <li key={`${finding.what}${finding.message}`} className="card">
            <div className="row">
              <Badge tone={TONES[finding.state]}>{text.states[finding.state]}</Badge>
              <strong>{finding.what}</strong>
              <span className="grow">{finding.message}</span>
            </div>
            {finding.mend && finding.state !== "ok" && (
              <Mend what={finding.what} mend={finding.mend} />
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What mends it, to be copied. */
function Mend({ what, mend }: { what: string; mend: string }) {
  const text = words.system.check;
  return (
    <div className="stack">
      <span className="small muted">{text.run}</span>
      <div className={styles.command}>
        <code>{mend}</code>
        <CopyButton text={mend} label={text.copyNamed(what)} />
      </div>
    </div>
  );
}
