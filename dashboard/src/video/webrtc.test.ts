import { expect, test } from "vitest";
import { relaysOf } from "./webrtc";

test("a page asks relays that were configured, and no one else", () => {
  const servers = [
    { urls: ["stun:stun.example.org:19302"] },
    { urls: ["turn:relay.club.example:3478", "stun:x"], username: "a", credential: "b" },
    { urls: "turns:relay.club.example:5349" },
  ];
  expect(relaysOf(servers)).toEqual([
    { urls: ["turn:relay.club.example:3478"], username: "a", credential: "b" },
    { urls: ["turns:relay.club.example:5349"] },
  ]);
  expect(relaysOf(undefined)).toEqual([]);
});
