import { counted } from "../counted";

const engines = (count: number) => counted(count, "engine", "engines");
const streams = (count: number) => counted(count, "stream", "streams");

/** What happened to the fleet, in sentences; lengths come as they are shown. */
export const activity = {
  list: "Activity",
  none: "Nothing has happened yet",
  noneBody: "Starts, failures and replacements of engines appear here.",
  noMatch: "No activity of this kind yet.",
  engine: "Engine",
  allEngines: "All engines",
  kind: "Show",
  kinds: {
    all: "Everything",
    engines: "Engines",
    streams: "Streams",
    vpn: "VPN",
    problems: "Problems",
  },
  earlier: "Show earlier",
  loading: "Loading…",
  details: "Details",
  open: (name: string) => `Activity of ${name}`,

  followed: (first: string, second: string) => `${first} → ${second}`,
  because: (what: string, reason: string) => `${what}: ${reason}`,
  after: (what: string, length: string) => `${what} after ${length}`,
  someEngine: "An engine",
  someVpn: "The VPN",

  stoppedWith: (name: string, code: number) => `${name} stopped unexpectedly (exit ${code})`,
  disappeared: (name: string) => `${name} disappeared`,
  ranFor: (length: string) => `It had run for ${length}`,
  streamsLost: (count: number) => `${streams(count)} ended with it`,
  replacedBy: (name: string, length: string) => `replaced by ${name} in ${length}`,
  replaced: (name: string, by: string, length: string) =>
    `${name} was replaced by ${by} in ${length}`,
  started: (name: string) => `${name} started`,
  startedIn: (name: string, length: string) => `${name} started in ${length}`,
  forClient: (what: string) => `${what}, for a player that asked for one`,
  asReplacement: (what: string, reason: string) => `${what} as a replacement: ${reason}`,
  notStarted: "An engine could not be started",
  starts: {
    image_not_found: "the image does not exist",
    port_in_use: "its port is in use",
    start_failed: "it ended or could not be created",
    start_timeout: "it did not answer in time",
    runtime_unavailable: "the program that runs engines did not answer",
    vpn_disconnected: "the VPN is not connected",
    max_capacity: "the maximum is reached",
  } as Record<string, string>,
  draining: (name: string) => `${name} takes no new streams`,
  back: (name: string) => `${name} takes streams again`,
  removed: (name: string) => `${name} was removed`,
  cleanedUp: (name: string) => `What was left of ${name} was cleaned up`,
  reserved: (name: string, length: string) => `${name} is reserved for a player for ${length}`,
  /** Why an engine gets no new streams or goes. */
  reasons: {
    unhealthy: "it did not answer",
    dead_network: "its VPN was recreated",
    vpn_lost: "its VPN is not connected",
    outdated: "it had old settings",
    requested: "as requested",
    forwarding: "another takes the forwarded port",
    rebalancing: "the other VPN had fewer engines",
    scale_down: "no longer needed",
    idle: "idle for long",
    deleted: "deleted by hand",
  } as Record<string, string>,

  silent: (name: string, checks: number) =>
    `${name} does not answer (${counted(checks, "failed check", "failed checks")})`,
  answers: (name: string) => `${name} answers again`,
  startsPaused: (failures: number) =>
    `Starting engines is on hold: ${counted(failures, "start", "starts")} failed in a row`,
  startsResumed: "Engines can start again",
  manyUnwell: (count: number, of: number) => `${count} of ${engines(of)} do not answer`,
  tooFew: (healthy: number, minimum: number) =>
    healthy === 0
      ? `No engine is healthy; the minimum is ${minimum}`
      : `Only ${engines(healthy)} ${healthy === 1 ? "is" : "are"} healthy; the minimum is ${minimum}`,
  again: {
    killed: (rounds: number) =>
      `Engines were killed right after their start, ${rounds} times in a row. Check the memory limit. Starting waits a little`,
    died: (rounds: number) =>
      `Engines ended right after their start, ${rounds} times in a row. Starting waits a little`,
    other: (rounds: number, reason: string) =>
      `The replacement had the same problem ${rounds} times in a row (${reason}). Replacing waits a little`,
  },

  streamStarted: (stream: string, engine: string) => `Stream ${stream} started on ${engine}`,
  streamEnded: (stream: string) => `Stream ${stream} ended`,

  vpnConnected: (name: string) => `${name} is connected`,
  vpnBack: (name: string) => `${name} is connected again`,
  vpnLost: (name: string) => `${name} is not connected`,
  vpnRestarting: (name: string) => `${name} is being restarted because it was not connected`,
  vpnRenewed: "The VPN was restarted; its engines are replaced",
  portChanged: (name: string, port: string) => `${name} has another forwarded port: ${port}`,
  noPort: "none",
  emergency: (failed: string, healthy: string) => `${failed} is down; all engines use ${healthy}`,
  emergencyOver: "Both VPNs are connected again",

  starting: (count: number) => `Starting ${engines(count)}`,
  startingOf: (count: number, healthy: number, of: number) =>
    `Starting ${engines(count)}: ${healthy} of ${of} are healthy`,
  sized: (target: number) => `The number of engines was set to ${target}`,
  sizedFrom: (target: number, before: number) =>
    `The number of engines was set to ${target} (before: ${before})`,
  replacingAll: (count: number) => `Replacing all ${engines(count)} began`,
  replacedAll: (count: number) => `${engines(count)} replaced`,
  runtimeBack: (count: number) => `Engines can be managed: ${count} running`,
  runtimeAway: "The container runtime is not responding",
};
