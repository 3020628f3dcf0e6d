import { Download } from "lucide-react";
import { memo, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { useCameraName, useMatches, useMatchTitle } from "../../api/capture";
import { useHashState } from "../../lib/hashLocation";
import { filtered, type LevelFilter, type LogLine, merged } from "../../lib/logLines";
import { timeNow, today } from "../../lib/matchName";
import { saveBlob } from "../../lib/saveBlob";
import { words } from "../../messages";
import { Button, Check, Choice, ErrorNote, Field, Loading } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import styles from "./System.module.css";
import {
  type HowRead,
  LOG_TYPES,
  type LogType,
  useFileLogs,
  useLog,
  useLogFiles,
  wholeLogs,
} from "./useLog";

const LEVELS = ["all", "warnings", "alerts"] as const satisfies readonly LevelFilter[];
const MOST_SHOWN = 2_000;
/** What `touchline.log` has as well. */
const DOUBLE = "error.log";

const oneOf = <T extends string>(values: readonly T[], value: string | null, otherwise: T): T =>
  values.find((each) => each === value) ?? otherwise;

/** What a log is called: a camera's by the camera's name, one that is not known by its file's. */
function useLogName(): (log: string) => string {
  const cameraName = useCameraName();
  return (log) => {
    const names: Record<string, string> = words.system.logs.names;
    if (Object.hasOwn(names, log)) return names[log] as string;
    const [camera] = /^cam\d+/.exec(log) ?? [];
    return camera ? cameraName(camera) : log;
  };
}

/** The logs of the server and its programs. Which one, and its filters, are in the address. */
export function Logs() {
  const [log, setLog] = useHashState("log");
  const [level] = useHashState("level");
  const [search] = useHashState("line");
  const [following, setFollowing] = useState(true);
  const matches = useMatches();
  const { files, error: unlisted } = useLogFiles();
  const nameOf = useLogName();
  // The longest first: one id may be the beginning of another.
  const matchIds = useMemo(
    () => Object.keys(matches.data ?? {}).sort((a, b) => b.length - a.length),
    [matches.data],
  );
  const all = ["all", ...LOG_TYPES, ...files];
  const chosen = isFile(log) ? log : oneOf(all, log, "health");
  const choice = (
    <Choice
      label={words.system.logs.log}
      value={chosen}
      onChange={(event) => setLog(event.target.value)}
      options={(all.includes(chosen) ? all : [...all, chosen]).map((each) => [each, nameOf(each)])}
    />
  );
  const how = { following, matchIds, far: (level ?? "all") !== "all" || search !== null };
  const shared = { choice, name: nameOf(chosen), setFollowing, how, unlisted };
  const type = LOG_TYPES.find((each) => each === chosen);
  if (chosen === "all") return <AllLogs files={files} {...shared} />;
  return type ? (
    <OneLog key={type} type={type} {...shared} />
  ) : (
    <FileLog key={chosen} file={chosen} {...shared} />
  );
}

const isFile = (log: string | null): log is string => log?.endsWith(".log") ?? false;

type Shown = {
  choice: ReactNode;
  name: string;
  setFollowing: (following: boolean) => void;
  how: HowRead;
  /** Why it is not known which files there are. */
  unlisted: Error | null;
};

function OneLog({ type, ...shared }: { type: LogType } & Shown) {
  const log = useLog(type, shared.how);
  return <LogView {...shared} sources={[type]} {...log} />;
}

function FileLog({ file, ...shared }: { file: string } & Shown) {
  const { logs, ready, error } = useFileLogs([file], shared.how);
  return <LogView {...shared} sources={[file]} lines={logs[0] ?? []} {...{ ready, error }} />;
}

function AllLogs({ files, ...shared }: { files: readonly string[] } & Shown) {
  const { how } = shared;
  const health = useLog("health", how);
  const alerts = useLog("alerts", how);
  const watchdog = useLog("watchdog", how);
  const others = useMemo(() => files.filter((name) => name !== DOUBLE), [files]);
  const read = useFileLogs(others, how);
  const lines = useMemo(
    () => merged([health.lines, alerts.lines, watchdog.lines, ...read.logs]),
    [health.lines, alerts.lines, watchdog.lines, read.logs],
  );
  return (
    <LogView
      {...shared}
      lines={lines}
      sources={[...LOG_TYPES, ...others]}
      ready={health.ready && alerts.ready && watchdog.ready && read.ready}
      error={health.error ?? alerts.error ?? watchdog.error ?? read.error}
    />
  );
}

function LogView({
  name,
  choice,
  sources,
  lines,
  ready,
  error,
  how: { following },
  setFollowing,
  unlisted,
}: {
  /** The logs that are shown, which are those that are downloaded. */
  sources: readonly string[];
  lines: readonly LogLine[];
  ready: boolean;
  error: Error | null;
} & Shown) {
  const [levelNow, setLevel] = useHashState("level");
  const [search, setSearch] = useHashState("line");
  const level = oneOf(LEVELS, levelNow, "all");
  const text = words.system.logs;
  const levels = { all: text.everything, warnings: text.warnings, alerts: text.alertsOnly };
  const found = useMemo(() => filtered(lines, level, search ?? ""), [lines, level, search]);
  const shown = useMemo(() => found.slice(-MOST_SHOWN), [found]);
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
        <DownloadLog name={name} sources={sources} />
        <span className="muted small">
          {found.length > shown.length ? text.newest(shown.length) : text.lines(shown.length)}
        </span>
      </div>
      <ErrorNote error={error ?? unlisted} />
      {ready || error ? (
        <Lines
          name={name}
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
  const titleOf = useMatchTitle();
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
            <Line
              // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
              key={n}
              level={line.level}
              text={line.text}
              matchId={line.matchId}
              title={line.matchId === null ? "" : titleOf(line.matchId)}
            />
          ))}
    </pre>
  );
}

type LineProps = Omit<LogLine, "at"> & { title: string };

const Line = memo(function Line({ level, text, matchId, title }: LineProps) {
  return (
    <span className={`${styles.line} ${styles[level]}`}>
      {text}
      {matchId !== null && (
        <>
          {" "}
          <Link href={`/matches/${encodeURIComponent(matchId)}`}>
            {words.system.logs.match}: {title}
          </Link>
        </>
      )}
    </span>
  );
});

function DownloadLog({ name, sources }: { name: string; sources: readonly string[] }) {
  const text = words.system.logs;
  const download = useAction(
    async () => {
      const whole = await wholeLogs(sources);
      const file = `touchline ${name} ${today()} ${timeNow()}.log`;
      saveBlob(new Blob([whole], { type: "text/plain" }), file);
      return file;
    },
    { done: text.downloaded },
  );
  return (
    <Button size="small" disabled={download.isPending} onClick={() => download.mutate(undefined)}>
      <Download size={16} aria-hidden /> {text.download}
    </Button>
  );
}
