import type { Messages } from "..";

export const player: Messages["player"] = {};
