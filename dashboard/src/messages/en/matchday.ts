/** Texts: matchday. */
export const matchday = {};
