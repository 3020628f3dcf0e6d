export type LogLevel = "alert" | "warning" | "info";

/** A line of a log as it is shown: `at` sorts by time, `matchId` is the match that it names. */
export type LogLine = { at: string; level: LogLevel; text: string; matchId: string | null };

const PLAIN = /^\[([^\]]+)\] (INFO|WARNING|ALERT|ERROR)\b/;
const OF_PROGRAM = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)Z \S+ ([A-Z]+)\b/;
const LEVELS: Record<string, LogLevel> = {
  DEBUG: "info",
  INFO: "info",
  WARNING: "warning",
  ALERT: "alert",
  ERROR: "alert",
  CRITICAL: "alert",
};

/** The lines of a log. One without a time, as of a traceback, belongs to the line before it. */
export function readLines(lines: readonly string[], matchIds: readonly string[]): LogLine[] {
  let level: LogLevel = "info";
  return lines.map((line) => {
    const read = readLine(line, matchIds);
    if (read.at !== "") level = read.level;
    return { ...read, level };
  });
}

/** Read a line: plain, of a program, or one JSON object for each alert or line of the server. */
export function readLine(line: string, matchIds: readonly string[]): LogLine {
  const found = line.startsWith("{") ? readObject(line) : null;
  if (found && "severity" in found) return ofAlert(found);
  const read = found ? ofServer(found) : ofText(line);
  return { ...read, matchId: matchIds.find((id) => line.includes(id)) ?? null };
}

type Fields = Record<string, unknown> & { message: string };

function readObject(line: string): Fields | null {
  try {
    const found = JSON.parse(line) as Partial<Fields>;
    return typeof found.message === "string" ? (found as Fields) : null;
  } catch {
    return null; // cut off, or of another program
  }
}

const timeOf = (ts: unknown, length: number) =>
  String(ts ?? "")
    .slice(0, length)
    .replace("T", " ")
    .replace("Z", "");

function ofAlert({ ts, severity, message, event_type, details }: Fields): LogLine {
  const at = timeOf(ts, 19);
  const level: LogLevel = severity === "info" ? "info" : severity === "error" ? "alert" : "warning";
  const matchId = (details as { match_id?: unknown } | undefined)?.match_id;
  return {
    at,
    level,
    text: `[${at}] ${String(severity || "alert").toUpperCase()}: ${message} (${String(event_type)})`,
    matchId: typeof matchId === "string" ? matchId : null,
  };
}

function ofServer({
  ts,
  level,
  logger,
  message,
  exception,
  ...more
}: Fields): Omit<LogLine, "matchId"> {
  const at = timeOf(ts, 23);
  const word = String(level ?? "info").toUpperCase();
  const extra = Object.entries(more).map(([name, value]) => ` ${name}=${textOf(value)}`);
  const trace = typeof exception === "string" ? `\n${exception}` : "";
  return {
    at,
    level: LEVELS[word] ?? "info",
    text: `[${at}] ${word} ${String(logger ?? "")}: ${message}${extra.join("")}${trace}`,
  };
}

const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

function ofText(text: string): Omit<LogLine, "matchId"> {
  const [, date, time, word = ""] = OF_PROGRAM.exec(text) ?? [];
  if (date) return { at: `${date} ${time}`.slice(0, 23), level: LEVELS[word] ?? "info", text };
  const [, at = "", level = ""] = PLAIN.exec(text) ?? [];
  return { at, level: LEVELS[level] ?? "info", text };
}

export type LevelFilter = "all" | "warnings" | "alerts";

const SHOWN: Record<LevelFilter, readonly LogLevel[]> = {
  all: ["info", "warning", "alert"],
  warnings: ["warning", "alert"],
  alerts: ["alert"],
};

/** The lines of this level and with these words, whatever their case. */
export function filtered(lines: readonly LogLine[], level: LevelFilter, search: string): LogLine[] {
  const wanted = search.trim().toLowerCase();
  return lines.filter(
    (line) => SHOWN[level].includes(line.level) && line.text.toLowerCase().includes(wanted),
  );
}

/** Several logs as one, in the order of their times; lines without one stay where they are. */
export function merged(logs: readonly (readonly LogLine[])[]): LogLine[] {
  const timed = logs.flatMap((lines) => {
    let before = "";
    return lines.map((line) => {
      before = line.at || before;
      return { ...line, at: before };
    });
  });
  return timed.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
