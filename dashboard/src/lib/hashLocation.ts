import { useCallback, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

function listen(listener: () => void) {
  listeners.add(listener);
  addEventListener("hashchange", listener);
  addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("hashchange", listener);
    removeEventListener("popstate", listener);
  };
}

/** What stands behind `#`, as it stands there: a path, and what a page keeps behind its `?`. */
function parts(): [path: string, query: string] {
  const hash = location.href.split("#", 2)[1] ?? "";
  const [path = "", query = ""] = hash.replace(/^\/?/, "/").split(/\?(.*)/s);
  return [path, query];
}

const pathNow = () => parts()[0];
const queryNow = () => parts()[1];

function navigate(to: string, { replace = false }: { replace?: boolean } = {}) {
  const url = `#${to.replace(/^#?\/?/, "/")}`;
  if (replace) history.replaceState(history.state, "", url);
  else history.pushState(null, "", url);
  for (const listener of [...listeners]) listener();
}

/**
 * The path in the hash as it stands there. The router decodes what it is given once more, but
 * leaves `;/?:@&=+$,#` encoded, so that nobody can tell afterwards what was encoded: here it gets
 * every percent sign encoded, and routes decode their parts with `decoded`.
 */
export const useExactHash = Object.assign(
  () => {
    const path = useSyncExternalStore(listen, pathNow);
    return [path.replaceAll("%", "%25"), navigate] as [string, typeof navigate];
  },
  { hrefs: (href: string) => `#${href}` },
);

/**
 * Something of a page that a reload, a link and the way back keep, in the hash: `#/system?tab=logs`.
 * Null is what is not there; setting it to null takes it out. `push` makes a step to come back from.
 */
export function useHashState(
  name: string,
): [string | null, (value: string | null, options?: { push?: boolean }) => void] {
  const query = useSyncExternalStore(listen, queryNow);
  const set = useCallback(
    (value: string | null, { push = false } = {}) => {
      const [path, before] = parts();
      const params = new URLSearchParams(before);
      if (value === null) params.delete(name);
      else params.set(name, value);
      const after = params.toString();
      if (after !== new URLSearchParams(before).toString()) {
        navigate(after ? `${path}?${after}` : path, { replace: !push });
      }
    },
    [name],
  );
  return [new URLSearchParams(query).get(name), set];
}

/** A part of a path as it was before it was encoded; one that never was is left alone. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const streamPath = (streamId: string) => `/engines/streams/${encodeURIComponent(streamId)}`;
