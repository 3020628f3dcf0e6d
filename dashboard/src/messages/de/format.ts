import type { Messages } from "..";
import { counted } from "../counted";

export const format: Messages["format"] = {
  unknown: "–",
  never: "nie",
  now: "gerade eben",
  seconds: (count) => `${count} s`,
  minutes: (count) => `${count} min`,
  hours: (count) => `${count} h`,
  days: (count) => counted(count, "Tag", "Tage"),
  ago: (length) => `vor ${length}`,
  daysAgo: (count) => `vor ${counted(count, "Tag", "Tagen")}`,
  perSecond: (size) => `${size}/s`,
  percent: (value) => `${value} %`,
};
