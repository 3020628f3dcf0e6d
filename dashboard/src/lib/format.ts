/** 5025 s as `1:23:45`, 65 s as `1:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, "0");
  return h ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** A length in words: `2 h 5 min`, `40 min`, `12 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const h = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (h >= 48) return `${Math.round(h / 24)} days`;
  return rest ? `${h} h ${rest} min` : `${h} h`;
}

/** How long a disk lasts, in steps that figures which are measured do not jump between. */
export function timeLeft(minutes: number): string {
  if (minutes < 60) return `${Math.max(0, Math.floor(minutes))} min`;
  if (minutes < 600) return duration(Math.floor(minutes / 10) * 600);
  return `${Math.floor(minutes / 60)} h`;
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number): string {
  let unit = 0;
  let left = value;
  while (left >= 1024 && unit < SIZES.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${left >= 100 || unit === 0 ? Math.round(left) : left.toFixed(1)} ${SIZES[unit]}`;
}

export const mebibytes = (value: number) => bytes(value * 1024 * 1024);

export function bitrate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

/** Kibibytes a second, as engines count. */
export const speed = (kibPerSecond: number | null) =>
  kibPerSecond === null ? "–" : `${bytes(kibPerSecond * 1024)}/s`;

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : `${Math.round(value)} %`;
}

export function ago(iso: string | null | undefined, nowMs: number = Date.now()): string {
  if (!iso) return "never";
  const seconds = (nowMs - Date.parse(iso)) / 1000;
  if (seconds < 2) return "now";
  return `${duration(seconds)} ago`;
}

export function dateTime(unixSeconds: number | null | undefined): string {
  if (!unixSeconds) return "–";
  return new Date(unixSeconds * 1000).toLocaleString([], {
    dateStyle: "medium",
    timeStyle: "short",
  });
}

export function timeOfDay(iso: string): string {
  return new Date(iso).toLocaleTimeString([], { timeStyle: "medium" });
}

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`;

/** Latin letters and digits of an id are enough to tell containers apart. */
export const shortId = (id: string) => id.slice(0, 12);
