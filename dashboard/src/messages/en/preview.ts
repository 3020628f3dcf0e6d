/** Texts: preview. */
export const preview = {};
