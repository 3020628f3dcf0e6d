import { useHashLocation } from "wouter/use-hash-location";

/**
 * The location in the hash as it stands there. The router decodes what it is given once more, but
 * leaves `;/?:@&=+$,#` encoded, so that nobody can tell afterwards what was encoded: here it gets
 * every percent sign encoded, and routes decode their parts with `decoded`.
 */
export const useExactHash = Object.assign(
  () => {
    const [path, navigate] = useHashLocation();
    return [path.replaceAll("%", "%25"), navigate] as [string, typeof navigate];
  },
  { hrefs: (href: string) => `#${href}` },
);

/** A part of a path as it was before it was encoded; one that never was is left alone. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const streamPath = (streamId: string) => `/engines/streams/${encodeURIComponent(streamId)}`;
