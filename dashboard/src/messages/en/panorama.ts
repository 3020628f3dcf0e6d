/** Texts: panorama. */
export const panorama = {};
