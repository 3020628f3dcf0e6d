export type LogLevel = "alert" | "warning" | "info";

/** A line of a log as it is shown: `at` sorts by time, `matchId` is the match that it names. */
export type LogLine = { at: string; level: LogLevel; text: string; matchId: string | null };

const PLAIN = /^\[([^\]]+)\] (INFO|WARNING|ALERT|ERROR)\b/;
const LEVELS: Record<string, LogLevel> = {
  INFO: "info",
  WARNING: "warning",
  ALERT: "alert",
  ERROR: "alert",
};

/** Read a line: plain as the server writes most logs, or one JSON object for each alert. */
export function readLine(line: string, matchIds: readonly string[]): LogLine {
  const alert = line.startsWith("{") ? readAlert(line) : null;
  if (alert) return alert;
  const [, at = "", word = ""] = PLAIN.exec(line) ?? [];
  const matchId = matchIds.find((id) => line.includes(id)) ?? null;
  return { at, level: LEVELS[word] ?? "info", text: line, matchId };
}

function readAlert(line: string): LogLine | null {
  let found: Record<string, unknown>;
  try {
    found = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null; // cut off, or of another program
  }
  const { ts, severity, message, event_type, details } = found;
  if (typeof message !== "string") return null;
  const at = String(ts ?? "")
    .slice(0, 19)
    .replace("T", " ");
  const level: LogLevel = severity === "info" ? "info" : severity === "error" ? "alert" : "warning";
  const matchId = (details as { match_id?: unknown } | undefined)?.match_id;
  return {
    at,
    level,
    text: `[${at}] ${String(severity ?? "alert").toUpperCase()}: ${message} (${String(event_type)})`,
    matchId: typeof matchId === "string" ? matchId : null,
  };
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
