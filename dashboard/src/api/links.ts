import { api, ask } from "./http";

/** An address of media that any player opens, by the name under which this page was opened. */
export async function playerLink(path: string): Promise<string> {
  const { path: signed } = await ask(api.POST("/api/v1/links", { body: { path } }));
  return new URL(signed, window.location.origin).href;
}
