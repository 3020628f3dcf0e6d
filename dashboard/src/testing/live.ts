/** Stands in for `api/live`: the channels are what a test says. */
export const channels: Record<string, unknown> = {};

const nothing = () => undefined;

export const live = {
  connection: "open",
  listen: () => nothing,
  value: (channel: string) => channels[channel],
  onConnection: () => nothing,
  onSignal: () => nothing,
  signal: nothing,
  isStale: () => false,
};

export const useChannel = (channel: string) => channels[channel];
export const useConnection = () => "open";
