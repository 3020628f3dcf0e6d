import { useEffect, useRef, useState } from "react";
import { type Command, commandOf } from "./keys";

const NAME = "touchline-player-keys";
/** What is asked, or lies over the page, has the keys for itself. */
const OVER = "[role=alertdialog], [role=dialog], [role=menu]";

/** Carries out what the keys of the player are for, on the whole page and while they are used. */
export function usePlayerKeys(commands: Record<Command, () => void>, enabled: boolean) {
  const latest = useRef(commands);
  useEffect(() => {
    latest.current = commands;
  });
  useEffect(() => {
    if (!enabled) return;
    const pressed = (event: KeyboardEvent) => {
      const command = commandOf(event);
      if (!command || document.querySelector(OVER)) return;
      event.preventDefault();
      latest.current[command]();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [enabled]);
}

/** Whether single keys are used, as this device keeps it: speech and some hands press them unmeant. */
export function useKeysEnabled(): [boolean, (enabled: boolean) => void] {
  const [enabled, setEnabled] = useState(readEnabled);
  const change = (wanted: boolean) => {
    setEnabled(wanted);
    try {
      localStorage.setItem(NAME, wanted ? "on" : "off");
    } catch {
      // It holds until the page is closed.
    }
  };
  return [enabled, change];
}

function readEnabled(): boolean {
  try {
    return localStorage.getItem(NAME) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}
