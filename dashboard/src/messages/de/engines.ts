import type { Messages } from "..";

export const engines: Messages["engines"] = {};
