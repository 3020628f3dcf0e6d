import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { secondsOf, timeText, useStartTime, useUrlTime } from "./useUrlTime";

const replaced = vi.spyOn(history, "replaceState");

beforeEach(() => {
  vi.useFakeTimers();
  replaced.mockClear();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const time = () => new URLSearchParams(location.hash.split("?")[1]).get("t");

function player(hash: string) {
  location.hash = hash;
  const seek = vi.fn();
  const made = renderHook((props) => useUrlTime({ ...props, seek }), {
    initialProps: { at: secondsOf(time()) ?? 0, playing: false },
  });
  const now = (at: number, playing: boolean) => made.rerender({ at, playing });
  return { seek, now };
}

test("a time is a number of seconds, and the beginning is none", () => {
  expect(secondsOf("63")).toBe(63);
  expect(secondsOf("63.4")).toBe(63.4);
  for (const text of [null, "", "-3", "soon", "1:03"]) expect(secondsOf(text)).toBeNull();
  expect(timeText(63.94, true)).toBe("63");
  expect(timeText(63.94, false)).toBe("63.9");
  expect(timeText(0.02, false)).toBeNull();
});

test("playing begins where the address says", () => {
  location.hash = "#/matches/derby?t=63&view=LEFT";
  const { result, rerender } = renderHook(() => useStartTime());
  expect(result.current).toBe(63);
  location.hash = "#/matches/derby?t=90";
  rerender();
  expect(result.current).toBe(63);
});

test("the address is written at most once a second, and at once on a pause", () => {
  const { now } = player("#/matches/derby?view=LEFT");
  for (let ms = 0; ms <= 10_000; ms += 150) {
    now(ms / 1000, true);
    act(() => vi.advanceTimersByTime(150));
  }
  expect(replaced.mock.calls.length).toBeGreaterThan(7);
  expect(replaced.mock.calls.length).toBeLessThanOrEqual(11);
  now(10.23, false);
  expect(time()).toBe("10.2");
  expect(location.hash).toContain("view=LEFT");
});

test("a drag along the line writes no more often either, and its end is kept", () => {
  const { now } = player("#/matches/derby");
  for (let n = 0; n < 100; n++) {
    now(n, false);
    act(() => vi.advanceTimersByTime(20));
  }
  expect(replaced.mock.calls.length).toBeLessThanOrEqual(3);
  act(() => vi.advanceTimersByTime(1000));
  expect(time()).toBe("99");
});

test("an address that is changed by hand is followed, and its own changes are not", () => {
  const { seek, now } = player("#/matches/derby?t=63");
  expect(seek).not.toHaveBeenCalled();
  now(70, true);
  act(() => vi.advanceTimersByTime(1000));
  expect(time()).toBe("70");
  expect(seek).not.toHaveBeenCalled();
  act(() => {
    history.pushState(null, "", "#/matches/derby?t=5");
    dispatchEvent(new PopStateEvent("popstate"));
  });
  expect(seek).toHaveBeenCalledExactlyOnceWith(5);
});

test("nothing is written once the player is gone", () => {
  const { now } = player("#/matches/derby");
  now(4, false);
  cleanup();
  act(() => vi.advanceTimersByTime(2000));
  expect(time()).toBeNull();
});
