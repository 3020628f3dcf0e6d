import createClient from "openapi-fetch";
import { words } from "../messages";
import type { components, paths } from "./schema";

export type Schema = components["schemas"];

/**
 * The server's own words for what went wrong, with its status; 0 means that it was not reached.
 * `errorWords` tells it to people.
 */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

export const unreached = () => new ServerError(words.errors.codes.unreached.what, 0, "unreached");

export const api = createClient<paths>({
  fetch: async (request) => {
    try {
      return await fetch(request);
    } catch {
      throw unreached();
    }
  },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** What the server answered; throws ServerError with its message for anything but success. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) {
    if (response.status === 401 || response.status === 403) signInNeeded();
    throw refusal(error, response);
  }
  return data as T;
}

/** Like `ask`, for answers whose `success` says whether the service did it. */
export async function askDone<T extends { success: boolean; message: string }>(
  call: Promise<Answer<T>>,
): Promise<T> {
  const answer = await ask(call);
  if (!answer.success) throw new ServerError(answer.message, 200);
  return answer;
}

/** What an answer that is no success says went wrong. */
export function refusal(error: unknown, response: { status: number; statusText: string }) {
  return new ServerError(messageOf(error, response), response.status, codeOf(error));
}

/** The sentence in an error's body, whichever of the API's forms it has. */
export function messageOf(error: unknown, response: { status: number; statusText: string }) {
  const detail = field(error, "detail") ?? field(error, "message");
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) {
    const parts = detail.map((each) => {
      const place = field(each, "loc");
      const where = Array.isArray(place) ? place.slice(1).join(".") : "";
      return `${where ? `${where}: ` : ""}${String(field(each, "msg") ?? "not valid")}`;
    });
    if (parts.length) return parts.join("; ");
  }
  const inner = field(detail, "message");
  if (typeof inner === "string") return inner;
  return `The server answered ${response.status} ${response.statusText}`.trim();
}

function codeOf(error: unknown): string | null {
  const detail = field(error, "detail");
  // A value that is not valid has its reason in the first of a list.
  const code =
    field(error, "code") ??
    field(detail, "code") ??
    (Array.isArray(detail) ? field(detail[0], "type") : undefined);
  return typeof code === "string" ? code : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

let signInNeeded: () => void = () => undefined;

/** Who is told when the server asked for the key; returns what ends that. */
export function onSignInNeeded(listener: () => void): () => void {
  signInNeeded = listener;
  return () => {
    signInNeeded = () => undefined;
  };
}
