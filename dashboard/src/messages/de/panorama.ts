import type { Messages } from "..";

export const panorama: Messages["panorama"] = {};
