import type { Messages } from "..";

export const format: Messages["format"] = {};
