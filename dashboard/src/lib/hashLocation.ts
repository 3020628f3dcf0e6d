import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";

/** A place in the dashboard: its path, and what the page keeps behind the question mark. */
export type Place = { path: string; query: URLSearchParams };
type Guard = { leaves: (to: Place) => boolean; ask: () => Promise<boolean> };

const listeners = new Set<() => void>();
let guard: Guard | null = null;
/** The address of what is shown, to which a step that is not taken leads back. */
let shown = "";
let leaving = false;

function listen(listener: () => void) {
  if (listeners.size === 0) {
    shown = location.href;
    addEventListener("hashchange", moved);
    addEventListener("popstate", moved);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    removeEventListener("hashchange", moved);
    removeEventListener("popstate", moved);
  };
}

/** The browser has gone to another address: back, forward, or one that was typed. */
function moved() {
  if (location.href === shown) return;
  if (!leaving && guard?.leaves(placeOf(location.href))) {
    history.pushState(null, "", shown);
    void guard.ask().then((leaves) => {
      if (!leaves) return;
      leaving = true;
      history.back();
    });
    return;
  }
  arrive();
}

function arrive() {
  leaving = false;
  shown = location.href;
  for (const listener of [...listeners]) listener();
}

/** What stands behind `#`, as it stands there: a path, and what a page keeps behind its `?`. */
function parts(href = location.href): [path: string, query: string] {
  const hash = href.split("#", 2)[1] ?? "";
  const [path = "", query = ""] = hash.replace(/^\/?/, "/").split(/\?(.*)/s);
  return [path, query];
}

function placeOf(href: string): Place {
  const [path, query] = parts(href);
  return { path, query: new URLSearchParams(query) };
}

const pathNow = () => parts()[0];
const queryNow = () => parts()[1];

function navigate(to: string, { replace = false }: { replace?: boolean } = {}) {
  const url = `#${to.replace(/^#?\/?/, "/")}`;
  const go = () => {
    if (replace) history.replaceState(history.state, "", url);
    else history.pushState(null, "", url);
    arrive();
  };
  if (guard?.leaves(placeOf(url))) void guard.ask().then((leaves) => leaves && go());
  else go();
}

/**
 * Asks before a link, the way back or another address leads away from what is not saved; `leaves`
 * says which places are elsewhere. Closing or reloading the page is asked about by the browser.
 */
export function useNavigationGuard(unsaved: boolean, asks: Guard) {
  const newest = useRef(asks);
  useEffect(() => {
    newest.current = asks;
  });
  useEffect(() => {
    if (!unsaved) return;
    const own: Guard = {
      leaves: (to) => newest.current.leaves(to),
      ask: () => newest.current.ask(),
    };
    const closing = (event: BeforeUnloadEvent) => event.preventDefault();
    const unlisten = listen(() => undefined);
    shown = location.href;
    guard = own;
    addEventListener("beforeunload", closing);
    return () => {
      if (guard === own) guard = null;
      removeEventListener("beforeunload", closing);
      unlisten();
    };
  }, [unsaved]);
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
