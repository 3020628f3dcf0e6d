import { useCallback, useState } from "react";

/** What a storage of the browser has under a name; null where it has nothing or may not be used. */
function read(storage: () => Storage, name: string): string | null {
  try {
    return storage().getItem(name);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, name: string, text: string) {
  try {
    storage().setItem(name, text);
  } catch {
    // It holds until the page is closed.
  }
}

const SESSION = () => sessionStorage;
const DEVICE = () => localStorage;

/** State that a reload keeps, as long as the tab is open. */
export function useKeptInTab<T>(name: string, first: T): [T, (value: T) => void] {
  return useKept(SESSION, name, first);
}

/** State that the device keeps. */
export function useKeptOnDevice<T>(name: string, first: T): [T, (value: T) => void] {
  return useKept(DEVICE, name, first);
}

function useKept<T>(storage: () => Storage, name: string, first: T): [T, (value: T) => void] {
  const [state, setState] = useState<{ name: string; value: T }>(() => ({
    name,
    value: parsed(read(storage, name), first),
  }));
  const value = state.name === name ? state.value : parsed(read(storage, name), first);
  const keep = useCallback(
    (now: T) => {
      write(storage, name, JSON.stringify(now));
      setState({ name, value: now });
    },
    [storage, name],
  );
  return [value, keep];
}

/** What was kept; something of an earlier version that cannot be read is as if it were not there. */
function parsed<T>(text: string | null, first: T): T {
  if (text === null) return first;
  try {
    return JSON.parse(text) as T;
  } catch {
    return first;
  }
}
