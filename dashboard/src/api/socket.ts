import { words } from "../messages";
import { type Schema, ServerError } from "./http";

/** The channels of `/ws`; each tells what its route answers. */
export type Channels = {
  status: Schema["Status"];
  pipeline_state: Schema["PipelineState"];
  system_metrics: Schema["SystemMetrics"];
  panorama_status: { panorama: Schema["PanoramaStatus"]; calibration: Schema["CalibrationStatus"] };
  cameras: Schema["CamerasStatus"];
  recording_health: Schema["RecordingHealth"];
  jobs: Schema["JobList"];
  library: { version: number };
  engines: Schema["EngineState"][];
  streams: Schema["StreamState"][];
  vpn: Schema["VpnStatus"];
  events: Schema["EventEntry"][];
  orchestrator: Schema["OrchestratorStatus"];
  engine_usage: Record<string, Schema["EngineUsage"]>;
  reprovision: Schema["ReprovisionStatus"];
  log_health: LogNews;
  log_alerts: LogNews;
  log_watchdog: LogNews;
};
export type LogNews = Schema["LogTail"] & { written: number };
export type Channel = keyof Channels;

/** `refused`: the server wants the key; nothing is tried again until somebody has signed in. */
export type Connection = "connecting" | "open" | "lost" | "refused";

type Message = { type: string; data?: unknown; [key: string]: unknown };
type Listener = () => void;
type Pending = {
  text: string;
  done: (data: unknown) => void;
  failed: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
};

/** A value that nobody listens to is kept so long: whoever changes tabs sees it at once again. */
export const KEPT_MS = 30_000;
const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 5_000;
const SILENT_MS = 15_000;
const TRY_AGAIN_LATER = 1013;
const COMMAND_TIMEOUT_MS = 90_000;

/**
 * The one connection of a page: channels while anybody listens to them, commands that are carried
 * out once even when the connection breaks on the way, and WebRTC signalling. It connects again by
 * itself, ever more slowly.
 */
export class LiveSocket {
  connection: Connection = "connecting";
  /** Why the server wants no more connections, in its words; null where it just went away. */
  reason: string | null = null;
  private socket: WebSocket | null = null;
  private latest = new Map<Channel, unknown>();
  private stale = new Set<Channel>();
  private forgetting = new Map<Channel, ReturnType<typeof setTimeout>>();
  private listeners = new Map<Channel, Set<Listener>>();
  private connectionListeners = new Set<Listener>();
  private signalListeners = new Set<(message: Message) => void>();
  private pending = new Map<string, Pending>();
  private retryMs = FIRST_RETRY_MS;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private nextId = 1;
  private readonly url: string;

  constructor(
    url: string,
    private readonly make: (url: string) => WebSocket = (to) => new WebSocket(to),
  ) {
    const client = `dashboard-${Math.random().toString(36).slice(2, 12)}`;
    this.url = `${url}?client=${client}`;
  }

  start() {
    clearTimeout(this.retryTimer);
    if (this.socket) return;
    const socket = this.make(this.url);
    this.socket = socket;
    socket.onmessage = (event) => this.heard(String(event.data));
    socket.onclose = (event) => this.closed(socket, event);
    this.watch(socket);
  }

  stop() {
    clearTimeout(this.retryTimer);
    clearInterval(this.silence);
    const socket = this.socket;
    this.socket = null;
    if (socket) hangUp(socket);
  }

  /** Connect now, such as after a sign-in or when the network is back. */
  retryNow() {
    this.retryMs = FIRST_RETRY_MS;
    if (this.connection === "open") return;
    this.stop();
    this.connection = "connecting";
    this.start();
  }

  /** Nobody is signed in: it waits for `retryNow`. */
  refuse() {
    this.stop();
    this.setConnection("refused");
  }

  value<C extends Channel>(channel: C): Channels[C] | undefined {
    return this.latest.get(channel) as Channels[C] | undefined;
  }

  /** Whether a channel's value is of before somebody listened again, and not told anew yet. */
  isStale(channel: Channel): boolean {
    return this.stale.has(channel);
  }

  listen(channel: Channel, listener: Listener): () => void {
    let those = this.listeners.get(channel);
    if (!those) {
      those = new Set();
      this.listeners.set(channel, those);
    }
    those.add(listener);
    if (those.size === 1) {
      clearTimeout(this.forgetting.get(channel));
      this.forgetting.delete(channel);
      this.say({ type: "subscribe", channels: [channel] });
    }
    return () => {
      those.delete(listener);
      if (those.size > 0) return;
      this.listeners.delete(channel);
      if (channel !== "status") {
        this.stale.add(channel);
        this.forgetting.set(
          channel,
          setTimeout(() => this.forget(channel), KEPT_MS),
        );
        this.say({ type: "unsubscribe", channels: [channel] });
      }
    };
  }

  onConnection(listener: Listener): () => void {
    this.connectionListeners.add(listener);
    return () => this.connectionListeners.delete(listener);
  }

  onSignal(listener: (message: Message) => void): () => void {
    this.signalListeners.add(listener);
    return () => this.signalListeners.delete(listener);
  }

  signal(type: string, data: Record<string, unknown>) {
    this.say({ type, data });
  }

  /** The result's data. It waits for a connection, and is sent again over a broken one. */
  command<T>(action: string, params: Record<string, unknown> = {}): Promise<T> {
    const id = `${Date.now().toString(36)}-${this.nextId++}`;
    const text = JSON.stringify({ v: 1, type: "command", id, action, params });
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id);
        reject(new ServerError(words.errors.codes.no_answer.what, 0, "no_answer"));
      }, COMMAND_TIMEOUT_MS);
      this.pending.set(id, {
        text,
        done: resolve as (data: unknown) => void,
        failed: reject,
        timer,
      });
      if (this.connection === "open") this.socket?.send(text);
    });
  }

  /** The server has said hello: a connection that it takes only to close it again is none. */
  private opened() {
    this.retryMs = FIRST_RETRY_MS;
    this.reason = null;
    this.setConnection("open");
    const channels = [...this.listeners.keys()];
    if (channels.length) this.say({ type: "subscribe", channels });
    for (const { text } of this.pending.values()) this.socket?.send(text);
  }

  /** A phone that left the network is told nothing: only the silence says it. */
  private watch(socket: WebSocket) {
    this.heardAt = Date.now();
    clearInterval(this.silence);
    this.silence = setInterval(() => {
      if (Date.now() - this.heardAt <= SILENT_MS) {
        this.say({ type: "ping" });
        return;
      }
      // Closing it would wait for the other side, which is not there.
      hangUp(socket);
      this.closed(socket, undefined);
    }, SILENT_MS / 3);
  }

  private heard(text: string) {
    this.heardAt = Date.now();
    const message = JSON.parse(text) as Message;
    const { type } = message;
    if (type === "hello") {
      this.opened();
    } else if (type.startsWith("webrtc_")) {
      for (const listener of this.signalListeners) listener(message);
    } else if (type === "command_result") {
      this.settle(message);
    } else if (this.listeners.has(type as Channel) || type === "status") {
      this.latest.set(type as Channel, message.data);
      this.stale.delete(type as Channel);
      for (const listener of this.listeners.get(type as Channel) ?? []) listener();
    }
  }

  /** What is not told any more would be shown as if it were new later on. */
  private forget(channel: Channel) {
    this.forgetting.delete(channel);
    this.stale.delete(channel);
    this.latest.delete(channel);
  }

  private settle(message: Message) {
    const id = String(message.id);
    const pending = this.pending.get(id);
    if (!pending) return;
    this.pending.delete(id);
    clearTimeout(pending.timer);
    if (message.success) pending.done(message.data);
    else pending.failed(failureOf(message));
  }

  private closed(socket: WebSocket, event: CloseEvent | undefined) {
    if (this.socket !== socket) return;
    this.reason = event?.code === TRY_AGAIN_LATER ? event.reason : null;
    this.socket = null;
    clearInterval(this.silence);
    this.setConnection("lost");
    this.retryTimer = setTimeout(() => this.start(), this.retryMs * (0.75 + Math.random() / 2));
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  private say(message: Record<string, unknown>) {
    if (this.connection === "open") this.socket?.send(JSON.stringify({ v: 1, ...message }));
  }

  private setConnection(connection: Connection) {
    this.connection = connection;
    for (const listener of this.connectionListeners) listener();
  }
}

/** Why a command was not carried out; its code is one of those of the routes. */
function failureOf({ error, code }: Message): ServerError {
  const said = String(error ?? words.errors.unknown.what);
  return new ServerError(said, 200, typeof code === "string" ? code : null);
}

/** Nothing more is heard of it. */
function hangUp(socket: WebSocket) {
  socket.onmessage = null;
  socket.onclose = null;
  socket.close();
}
