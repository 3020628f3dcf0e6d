/** Texts: errors. */
export const errors = {};
