/** Texts: engines. */
export const engines = {};
