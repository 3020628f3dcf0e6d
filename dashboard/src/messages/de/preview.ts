import type { Messages } from "..";

export const preview: Messages["preview"] = {};
