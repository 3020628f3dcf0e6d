import type { Messages } from "..";

export const matchday: Messages["matchday"] = {};
