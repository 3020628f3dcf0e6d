/** What the keys of the player do, with the keys; the first one is `event.key` in lower case. */
export const KEYS = {
  toggle: [" ", "k"],
  back: ["j"],
  on: ["l"],
  stepBack: ["arrowleft"],
  stepOn: ["arrowright"],
  frameBack: [","],
  frameOn: ["."],
  start: ["i"],
  end: ["o"],
  mark: ["m"],
  full: ["f"],
  help: ["?"],
} as const satisfies Record<string, readonly string[]>;

export type Command = keyof typeof KEYS;

/** These go on while their key is held down. */
const REPEATS: ReadonlySet<Command> = new Set([
  "back",
  "on",
  "stepBack",
  "stepOn",
  "frameBack",
  "frameOn",
]);

const TYPED = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable=true]";
const PRESSED = "button, a[href], summary, input:not([type=radio]), [role=tab], [role=switch]";
const MOVED = "input[type=radio], [role=slider], [role=tab]";

/** What a key does; null where it does nothing, or is for whatever has the focus. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  const key = event.key.toLowerCase();
  const found = Object.entries(KEYS).find(([, keys]) => (keys as readonly string[]).includes(key));
  const command = found?.[0] as Command | undefined;
  if (!command || (event.repeat && !REPEATS.has(command))) return null;
  return isTaken(event.target, key) ? null : command;
}

/** Whether what has the focus needs the key itself. */
function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest(TYPED)) return true;
  if (key === " ") return target.closest(PRESSED) !== null;
  return key.startsWith("arrow") && target.closest(MOVED) !== null;
}
