/** Texts: player. */
export const player = {};
