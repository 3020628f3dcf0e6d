/** Texts: format. */
export const format = {};
