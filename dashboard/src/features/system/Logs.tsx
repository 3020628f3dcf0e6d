import { Download } from "lucide-react";
import { memo, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { useMatches } from "../../api/capture";
import { useHashState } from "../../lib/hashLocation";
import { filtered, type LevelFilter, type LogLine, merged } from "../../lib/logLines";
import { parseMatchId, timeNow, today } from "../../lib/matchName";
import { saveBlob } from "../../lib/saveBlob";
import { words } from "../../messages";
import { Button, Check, Choice, ErrorNote, Field, Loading } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import styles from "./System.module.css";
import { LOG_TYPES, type LogType, useLog, wholeLogs } from "./useLog";

type Chosen = LogType | "all";
const LEVELS = ["all", "warnings", "alerts"] as const satisfies readonly LevelFilter[];

const oneOf = <T extends string>(values: readonly T[], value: string | null, otherwise: T): T =>
  values.find((each) => each === value) ?? otherwise;

/** The logs of the server. Which one, and its filters, are in the address. */
export function Logs() {
  const [log, setLog] = useHashState("log");
  const chosen = oneOf<Chosen>(["all", ...LOG_TYPES], log, "health");
  const matches = useMatches();
  // The longest first: one id may be the beginning of another.
  const matchIds = useMemo(
    () => Object.keys(matches.data ?? {}).sort((a, b) => b.length - a.length),
    [matches.data],
  );
  const text = words.system.logs;
  const choice = (
    <Choice
      label={text.log}
      value={chosen}
      onChange={(event) => setLog(event.target.value)}
      options={(["all", ...LOG_TYPES] as const).map((each) => [each, text[each]] as const)}
    />
  );
  return chosen === "all" ? (
    <AllLogs choice={choice} matchIds={matchIds} />
  ) : (
    <OneLog key={chosen} type={chosen} choice={choice} matchIds={matchIds} />
  );
}

type Shown = { choice: ReactNode; matchIds: readonly string[] };

function OneLog({ type, choice, matchIds }: { type: LogType } & Shown) {
  const [following, setFollowing] = useState(true);
  const log = useLog(type, following, matchIds);
  return <LogView {...{ choice, following, setFollowing }} chosen={type} {...log} />;
}

function AllLogs({ choice, matchIds }: Shown) {
  const [following, setFollowing] = useState(true);
  const health = useLog("health", following, matchIds);
  const alerts = useLog("alerts", following, matchIds);
  const watchdog = useLog("watchdog", following, matchIds);
  const lines = useMemo(
    () => merged([health.lines, alerts.lines, watchdog.lines]),
    [health.lines, alerts.lines, watchdog.lines],
  );
  return (
    <LogView
      {...{ choice, following, setFollowing, lines }}
      chosen="all"
      ready={health.ready && alerts.ready && watchdog.ready}
      error={health.error ?? alerts.error ?? watchdog.error}
    />
  );
}

function LogView({
  chosen,
  choice,
  lines,
  ready,
  error,
  following,
  setFollowing,
}: {
  chosen: Chosen;
  choice: ReactNode;
  lines: readonly LogLine[];
  ready: boolean;
  error: Error | null;
  following: boolean;
  setFollowing: (following: boolean) => void;
}) {
  const [levelNow, setLevel] = useHashState("level");
  const [search, setSearch] = useHashState("line");
  const level = oneOf(LEVELS, levelNow, "all");
  const text = words.system.logs;
  const levels = { all: text.everything, warnings: text.warnings, alerts: text.alertsOnly };
  const shown = useMemo(() => filtered(lines, level, search ?? ""), [lines, level, search]);
  return (
    <div className="stack">
      <div className="fields">
        {choice}
        <Choice
          label={text.level}
          value={level}
          onChange={({ target }) => setLevel(target.value === "all" ? null : target.value)}
          options={LEVELS.map((each) => [each, levels[each]] as const)}
        />
        <Field
          label={text.search}
          type="search"
          placeholder={text.searchHint}
          value={search ?? ""}
          onChange={(event) => setSearch(event.target.value || null)}
        />
      </div>
      <div className="row">
        <Check
          label={text.follow}
          checked={following}
          onChange={(event) => setFollowing(event.target.checked)}
        />
        <DownloadLog chosen={chosen} />
        <span className="muted small">{text.lines(shown.length)}</span>
      </div>
      <ErrorNote error={error} />
      {ready || error ? (
        <Lines
          name={text[chosen]}
          lines={shown}
          following={following}
          empty={lines.length ? text.noneFound : text.empty}
        />
      ) : (
        <Loading />
      )}
    </div>
  );
}

/** The lines, scrolled to the newest while they are followed. */
function Lines({
  name,
  lines,
  following,
  empty,
}: {
  name: string;
  lines: readonly LogLine[];
  following: boolean;
  empty: string;
}) {
  const box = useRef<HTMLPreElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every new line
  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, following]);
  return (
    <pre
      ref={box}
      className="log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard
      tabIndex={0}
      role="log"
      aria-label={words.system.logs.region(name)}
    >
      {lines.length === 0
        ? empty
        : lines.map((line, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
            <Line key={n} level={line.level} text={line.text} matchId={line.matchId} />
          ))}
    </pre>
  );
}

const Line = memo(function Line({ level, text, matchId }: Omit<LogLine, "at">) {
  return (
    <span className={`${styles.line} ${styles[level]}`}>
      {text}
      {matchId !== null && (
        <>
          {" "}
          <Link href={`/matches/${encodeURIComponent(matchId)}`}>
            {words.system.logs.match}: {parseMatchId(matchId).title}
          </Link>
        </>
      )}
    </span>
  );
});

function DownloadLog({ chosen }: { chosen: Chosen }) {
  const text = words.system.logs;
  const download = useAction(
    async () => {
      const whole = await wholeLogs(chosen === "all" ? LOG_TYPES : [chosen]);
      const name = `touchline ${text[chosen]} ${today()} ${timeNow()}.log`;
      saveBlob(new Blob([whole], { type: "text/plain" }), name);
      return name;
    },
    { done: text.downloaded },
  );
  return (
    <Button size="small" disabled={download.isPending} onClick={() => download.mutate(undefined)}>
      <Download size={16} aria-hidden /> {text.download}
    </Button>
  );
}
