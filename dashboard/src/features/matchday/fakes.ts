// A browser resolves paths against the page; Node's Request does not.
const Real = globalThis.Request;
globalThis.Request = class extends Real {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === "string" ? new URL(input, window.location.origin) : input, init);
  }
};

/** What the server of a test tells and is asked; a report that is not set is a success. */
export const fake = {
  commands: [] as [string, Record<string, unknown>][],
  reports: [] as Record<string, unknown>[],
  channels: {} as Record<string, unknown>,
  connection: "open",
  matches: {} as Record<string, unknown>,
  asked: [] as string[],
};

/** Stands for `api/live`. */
export const fakeLive = {
  live: {
    onConnection: () => () => undefined,
    command: async (name: string, params: Record<string, unknown>) => {
      fake.commands.push([name, params]);
      return fake.reports.shift() ?? { success: true, message: "done" };
    },
  },
  useChannel: (channel: string) => fake.channels[channel],
  useConnection: () => fake.connection,
};
