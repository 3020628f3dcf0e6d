import type { Messages } from "..";

export const library: Messages["library"] = {};
