/** Texts: shell. */
export const shell = {};
