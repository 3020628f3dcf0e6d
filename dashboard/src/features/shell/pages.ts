import {
  Activity,
  Circle,
  Film,
  type LucideIcon,
  MonitorPlay,
  Server,
  WandSparkles,
} from "lucide-react";
import type { Messages } from "../../messages";

export type Page = {
  path: string;
  name: keyof Messages["shell"]["pages"];
  Icon: LucideIcon;
};

const matchday: Page = { path: "/", name: "matchday", Icon: Circle };
const preview: Page = { path: "/preview", name: "preview", Icon: MonitorPlay };
const matches: Page = { path: "/matches", name: "matches", Icon: Film };
const panorama: Page = { path: "/panorama", name: "panorama", Icon: WandSparkles };
const engines: Page = { path: "/engines", name: "engines", Icon: Server };
const system: Page = { path: "/system", name: "system", Icon: Activity };

/** All pages, as they stand beside the content on a desk. */
export const PAGES: readonly Page[] = [matchday, preview, matches, panorama, engines, system];

/** Those that a phone has in reach of a thumb; the others are behind "More". */
export const IN_REACH: readonly Page[] = [matchday, matches, preview];
export const BEHIND_MORE: readonly Page[] = [panorama, engines, system];

export function isAt({ path }: Page, location: string): boolean {
  return path === "/" ? location === "/" : location.startsWith(path);
}

export const pageAt = (location: string) => PAGES.find((page) => isAt(page, location)) ?? matchday;
