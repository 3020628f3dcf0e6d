import type { Messages } from "..";

export const system: Messages["system"] = {};
