import { type Schema, ServerError } from "../api/http";
import { words } from "../messages";

/** What went wrong, what to do about it, and the server's own sentence where it says more. */
export type ErrorWords = { what: string; todo?: string; details?: string };

/** What a service reports that did not do what it was asked for, as an error whose code has words. */
export const declined = ({ message, code }: { message: string; code?: string | null }) =>
  new ServerError(message, 200, code ?? null);

/** Why a job failed, as an error whose code has words. */
export const jobFailure = ({ message, advice, code }: Schema["JobFault"]) =>
  declined({ message: [message, advice].filter(Boolean).join(" "), code });

/** An error in words for people, by the code that the server gave it. */
export function errorWords(error: unknown): ErrorWords {
  const { unknown } = words.errors;
  if (!(error instanceof Error) || error.message === "") return unknown;
  if (!(error instanceof ServerError)) return { what: error.message };
  const known = knownWords(error);
  if (!known) return { what: error.message };
  const saysMore = error.status !== 0 && error.message !== known.what;
  return saysMore ? { ...known, details: error.message } : known;
}

/** The same in one line, for a message or the place under a field. */
export function errorText(error: unknown): string {
  const { what, todo } = errorWords(error);
  return todo ? `${what} ${todo}` : what;
}

/** The catalogue's words; null where the server's own sentence says it best. */
function knownWords({ code, status }: ServerError): ErrorWords | null {
  const { codes, signedOut, failed, unavailable } = words.errors;
  if (code !== null) {
    return Object.hasOwn(codes, code) ? codes[code as keyof typeof codes] : null;
  }
  if (status === 0) return codes.unreached;
  if (status === 401) return signedOut;
  if (status === 500) return failed;
  return status > 500 ? unavailable : null;
}
