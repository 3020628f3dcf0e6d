const LONGEST = 180;

/** A text as the name of a file, with nothing in it that a file system refuses. */
export function fileName(text: string): string {
  const name = text
    .replace(/[\\/:*?"<>|\p{Cc}]+/gu, "-")
    .replace(/\s+/g, " ")
    .replace(/^[. ]+|[. ]+$/g, "");
  const ending = /\.\w+$/.exec(name)?.[0] ?? "";
  return name.length > LONGEST ? `${name.slice(0, LONGEST).trimEnd()}${ending}` : name;
}
