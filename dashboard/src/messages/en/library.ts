/** Texts: library. */
export const library = {};
