import { counted } from "../counted";

/** Times and amounts; numbers come as they are shown. */
export const format = {
  unknown: "–",
  never: "never",
  now: "now",
  seconds: (count: string) => `${count} s`,
  minutes: (count: string) => `${count} min`,
  hours: (count: string) => `${count} h`,
  days: (count: number) => counted(count, "day", "days"),
  ago: (length: string) => `${length} ago`,
  daysAgo: (count: number) => `${counted(count, "day", "days")} ago`,
  perSecond: (size: string) => `${size}/s`,
  percent: (value: string) => `${value} %`,
};
