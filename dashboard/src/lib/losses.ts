import type { Schema } from "../api/http";
import { words } from "../messages";
import { clock, list, shortDuration } from "./format";

export type Loss = Schema["RecordingLoss"];
export type LastStop = Schema["LastStop"];

const SHORT_S = 5;

/** Whether the camera is still away. */
export const isOpen = ({ ended }: Loss) => !ended;

/** What a loss is known by as long as its match is recorded. */
export const keyOf = ({ camera, from_s }: Loss) => `${camera} ${from_s}`;

/** A loss in a sentence, with what caused it. */
export function lossInWords(loss: Loss): string {
  const { losses } = words.matchday;
  const { name, from_s, ended, kind } = loss;
  const what = ended
    ? losses.ended(name, lengthOf(loss), clock(from_s))
    : losses.open(name, clock(from_s));
  return `${what} ${Object.hasOwn(losses.because, kind) ? losses.because[kind] : ""}`.trim();
}

function lengthOf({ seconds, length_known }: Loss): string {
  return length_known === false ? words.matchday.losses.unknownTime : shortDuration(seconds);
}

/** `Lost: 0.4 s (1 gap)`. */
export function lostInAll(losses: readonly Loss[]): string {
  const { state } = words.matchday;
  if (losses.length === 0) return state.nothingLost;
  return state.lost(shortDuration(sum(losses)), losses.length);
}

export type Verdict = {
  tone: "good" | "warn" | "bad";
  title: string;
  /** What was kept, what to do, and what is missing where. */
  lines: string[];
  /** The words of programs. */
  details: string[];
};

/** What became of a recording that was stopped, in words. */
export function verdictOf(stop: LastStop): Verdict {
  const { verdict } = words.matchday;
  const missing = stop.gaps.map((gap) => verdict.gap(gap.name, lengthOf(gap), clock(gap.from_s)));
  const details = [
    ...stop.gaps.map(({ name, reason }) => `${name}: ${reason}`),
    ...stop.faults.map(({ name, message }) => `${name}: ${message}`),
  ];
  if (stop.success) {
    const tone = stop.gaps_count ? "warn" : "good";
    return { tone, title: savedInWords(stop), lines: missing, details };
  }
  const { title, kept, todo } = failureOf(stop);
  return {
    tone: "bad",
    title,
    lines: [kept(shortDuration(stop.duration)), todo, ...missing],
    details: [stop.message, ...details],
  };
}

function savedInWords({ gaps, gaps_count }: LastStop): string {
  const { verdict } = words.matchday;
  if (gaps_count === 0) return verdict.saved;
  const short = gaps.every(({ seconds }) => seconds < SHORT_S);
  return verdict.gaps(gaps_count, short, shortDuration(sum(gaps)), list(named(gaps)));
}

/** How a stop failed, what it kept and what to do: files may be intact, damaged or not checked. */
function failureOf({ faults, files_ok }: LastStop) {
  const { notEnded, damaged, unchecked } = words.matchday.verdict;
  const which = files_ok === null ? unchecked : files_ok ? notEnded : damaged;
  const cameras = named(faults);
  return { ...which, title: cameras.length ? which.titleOf(list(cameras)) : which.title };
}

/** Each name once, in the order in which they come. */
const named = (those: readonly { name: string }[]) => [...new Set(those.map(({ name }) => name))];

const sum = (those: readonly { seconds: number }[]) =>
  those.reduce((total, { seconds }) => total + seconds, 0);
