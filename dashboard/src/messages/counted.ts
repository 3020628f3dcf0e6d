/** A number with its noun, for the texts of the catalogue: `counted(1, "gap", "gaps")`. */
export const counted = (count: number, one: string, many: string) =>
  `${count} ${count === 1 ? one : many}`;
