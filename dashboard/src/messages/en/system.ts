/** Texts: system. */
export const system = {};
