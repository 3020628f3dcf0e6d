import { useEffect, useState } from "react";

/**
 * Keeps the screen on while `active`, where the browser can; whether it does. A browser lets go of
 * it whenever the page is hidden, so each return to the page asks for it again.
 */
export function useWakeLock(active: boolean): boolean {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    // Only pages over HTTPS and on the machine itself have it.
    const { wakeLock } = navigator as Navigator & { wakeLock?: WakeLock };
    if (!active || !wakeLock) return;
    let over = false;
    let lock: WakeLockSentinel | null = null;
    const ask = async () => {
      if (document.visibilityState !== "visible" || (lock && !lock.released)) return;
      const got = await wakeLock.request("screen");
      if (over) return got.release();
      lock = got;
      setHeld(true);
      got.addEventListener("release", () => setHeld(false));
    };
    // Refused, such as by a phone that saves power: nothing is claimed, the next return asks again.
    const tryIt = () => void ask().catch(() => setHeld(false));
    tryIt();
    document.addEventListener("visibilitychange", tryIt);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", tryIt);
      setHeld(false);
      lock?.release().catch(() => undefined);
    };
  }, [active]);
  return held;
}
