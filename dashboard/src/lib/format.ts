import { language, words } from "../messages";

/** The language that is shown as this browser's country writes it, such as `en-GB`. */
export function locale(): string {
  const own = navigator.languages.find((tag) => tag.toLowerCase().startsWith(`${language}-`));
  return own ?? language;
}

/** A number with the separators of the language, and with at most so many decimals. */
export function number(value: number, decimals = 0, least = 0): string {
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: least,
    maximumFractionDigits: decimals,
  }).format(value);
}

/** Names as one says them: `LEFT, MIDDLE and RIGHT`. */
export const list = (names: readonly string[]) => new Intl.ListFormat(locale()).format(names);

/** 5025 s as `1:23:45`, 65 s as `1:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, "0");
  return h ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

const TWO_DAYS_H = 48;

/** A length in words: `2 h 5 min`, `40 min`, `12 s`. */
export function duration(seconds: number): string {
  const { format } = words;
  if (seconds < 60) return format.seconds(number(seconds));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return format.minutes(number(minutes));
  const h = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (h >= TWO_DAYS_H) return format.days(Math.round(h / 24));
  const hours = format.hours(number(h));
  return rest ? `${hours} ${format.minutes(number(rest))}` : hours;
}

/** A length that may be a part of a second: `0.4 s`, `3.2 s`, `12 s`. */
export function shortDuration(seconds: number): string {
  return seconds < 10 ? words.format.seconds(number(seconds, 1)) : duration(seconds);
}

/** How long a disk lasts, in steps that figures which are measured do not jump between. */
export function timeLeft(minutes: number): string {
  const { format } = words;
  if (minutes < 60) return format.minutes(number(Math.max(0, Math.floor(minutes))));
  if (minutes < 600) return duration(Math.floor(minutes / 10) * 600);
  return format.hours(number(Math.floor(minutes / 60)));
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number): string {
  let unit = 0;
  let left = value;
  while (left >= 1024 && unit < SIZES.length - 1) {
    left /= 1024;
    unit += 1;
  }
  const decimals = left >= 100 || unit === 0 ? 0 : 1;
  return `${number(left, decimals, decimals)} ${SIZES[unit]}`;
}

export const mebibytes = (value: number) => bytes(value * 1024 * 1024);

export function bitrate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e6) return `${number(bitsPerSecond / 1e6, 1, 1)} Mbit/s`;
  return `${number(bitsPerSecond / 1e3)} kbit/s`;
}

/** Kibibytes a second, as engines count. */
export const speed = (kibPerSecond: number | null) =>
  kibPerSecond === null ? words.format.unknown : words.format.perSecond(bytes(kibPerSecond * 1024));

export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return words.format.unknown;
  return words.format.percent(number(value));
}

export function ago(iso: string | null | undefined, nowMs: number = Date.now()): string {
  const { format } = words;
  if (!iso) return format.never;
  const seconds = (nowMs - Date.parse(iso)) / 1000;
  if (seconds < 2) return format.now;
  const hours = Math.floor(Math.round(seconds / 60) / 60);
  return hours >= TWO_DAYS_H
    ? format.daysAgo(Math.round(hours / 24))
    : format.ago(duration(seconds));
}

/** Day and time, as `27 Nov 2026, 15:30`. */
export function dateTime(unixSeconds: number | null | undefined): string {
  if (!unixSeconds) return words.format.unknown;
  return new Date(unixSeconds * 1000).toLocaleString(locale(), {
    dateStyle: "medium",
    timeStyle: "short",
  });
}

/** A day as it is written in data (`2026-11-27`) as one says it, in no time zone but its own. */
export function day(date: string): string {
  const at = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return date;
  return at.toLocaleDateString(locale(), { dateStyle: "medium", timeZone: "UTC" });
}

export function timeOfDay(iso: string): string {
  return new Date(iso).toLocaleTimeString(locale(), { timeStyle: "medium" });
}

/** A number with its noun, for words that come from the catalogue. */
export const plural = (count: number, one: string, many = `${one}s`) =>
  `${number(count)} ${count === 1 ? one : many}`;

/** Latin letters and digits of an id are enough to tell containers apart. */
export const shortId = (id: string) => id.slice(0, 12);
