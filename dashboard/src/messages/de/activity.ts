import type { Messages } from "..";
import { counted } from "../counted";

const engines = (count: number) => counted(count, "Engine", "Engines");
const inARow = (rounds: number) => `${rounds}-mal in Folge`;

export const activity: Messages["engines"]["activity"] = {
  list: "Verlauf",
  none: "Noch ist nichts passiert",
  noneBody: "Starts, Ausfälle und Ersetzungen von Engines erscheinen hier.",
  noMatch: "Nichts dergleichen ist aufgezeichnet.",
  engine: "Engine",
  allEngines: "Alle Engines",
  kind: "Anzeigen",
  kinds: {
    all: "Alles",
    engines: "Engines",
    streams: "Streams",
    vpn: "VPN",
    problems: "Probleme",
  },
  earlier: "Früheres zeigen",
  loading: "Wird geladen …",
  details: "Einzelheiten",
  open: (name) => `Verlauf von ${name}`,

  followed: (first, second) => `${first} → ${second}`,
  because: (what, reason) => `${what}: ${reason}`,
  after: (what, length) => `${what}, nach ${length}`,
  someEngine: "Eine Engine",
  someVpn: "Das VPN",

  stoppedWith: (name, code) => `${name} ist unerwartet ausgefallen (Exit-Code ${code})`,
  disappeared: (name) => `${name} ist verschwunden`,
  ranFor: (length) => `Sie lief ${length}`,
  streamsLost: (count) =>
    `${counted(count, "Stream", "Streams")} ${count === 1 ? "endete" : "endeten"} damit`,
  replacedBy: (name, length) => `nach ${length} ersetzt durch ${name}`,
  replaced: (name, by, length) => `${name} wurde nach ${length} durch ${by} ersetzt`,
  started: (name) => `${name} ist gestartet`,
  startedIn: (name, length) => `${name} ist in ${length} gestartet`,
  forClient: (what) => `${what}, für einen Player, der eine Engine brauchte`,
  asReplacement: (what, reason) => `${what}, als Ersatz: ${reason}`,
  notStarted: "Eine Engine konnte nicht gestartet werden",
  starts: {
    image_not_found: "das Image gibt es nicht",
    port_in_use: "ihr Port ist belegt",
    start_failed: "sie endete oder ließ sich nicht anlegen",
    start_timeout: "sie antwortete nicht rechtzeitig",
    runtime_unavailable: "das Programm, das Engines ausführt, antwortete nicht",
    vpn_disconnected: "das VPN ist nicht verbunden",
    max_capacity: "das Maximum ist erreicht",
  },
  draining: (name) => `${name} nimmt keine neuen Streams an`,
  back: (name) => `${name} nimmt wieder Streams an`,
  removed: (name) => `${name} wurde entfernt`,
  cleanedUp: (name) => `Reste von ${name} wurden aufgeräumt`,
  reserved: (name, length) => `${name} ist ${length} lang für einen Player reserviert`,
  reasons: {
    unhealthy: "sie antwortete nicht",
    dead_network: "ihr VPN wurde neu angelegt",
    vpn_lost: "ihr VPN ist nicht verbunden",
    outdated: "sie hatte alte Einstellungen",
    requested: "wie gewünscht",
    forwarding: "eine andere bekommt den weitergeleiteten Port",
    rebalancing: "das andere VPN hatte weniger Engines",
    scale_down: "nicht mehr benötigt",
    idle: "lange unbenutzt",
    deleted: "von Hand gelöscht",
  },

  silent: (name, checks) =>
    `${name} antwortet nicht (${counted(checks, "Prüfung", "Prüfungen")} ohne Antwort)`,
  answers: (name) => `${name} antwortet wieder`,
  startsPaused: (failures) =>
    `Gerade wird keine Engine gestartet: ${counted(failures, "Start ist", "Starts sind")} in Folge gescheitert`,
  startsResumed: "Engines können wieder starten",
  manyUnwell: (count, of) => `${count} von ${engines(of)} antworten nicht`,
  tooFew: (healthy, minimum) =>
    healthy === 0
      ? `Keine Engine ist in Ordnung; das Minimum ist ${minimum}`
      : `Nur ${engines(healthy)} in Ordnung; das Minimum ist ${minimum}`,
  again: {
    killed: (rounds) =>
      `Engines wurden gleich nach dem Start beendet, ${inARow(rounds)}. Die Speichergrenze prüfen. Weitere Starts warten etwas`,
    died: (rounds) =>
      `Engines endeten gleich nach dem Start, ${inARow(rounds)}. Weitere Starts warten etwas`,
    other: (rounds, reason) =>
      `Der Ersatz hatte ${inARow(rounds)} dasselbe Problem (${reason}). Weitere Ersetzungen warten etwas`,
  },

  streamStarted: (stream, engine) => `Stream ${stream} hat auf ${engine} begonnen`,
  streamEnded: (stream) => `Stream ${stream} ist beendet`,

  vpnConnected: (name) => `${name} ist verbunden`,
  vpnBack: (name) => `${name} ist wieder verbunden`,
  vpnLost: (name) => `${name} ist nicht verbunden`,
  vpnRestarting: (name) => `${name} wird neu gestartet, weil es nicht verbunden war`,
  vpnRenewed: "Das VPN wurde neu gestartet; seine Engines werden ersetzt",
  portChanged: (name, port) => `${name} hat einen anderen weitergeleiteten Port: ${port}`,
  noPort: "keinen",
  emergency: (failed, healthy) => `${failed} ist verloren; ${healthy} macht allein weiter`,
  emergencyOver: "Beide VPNs sind wieder verbunden",

  starting: (count) => `${engines(count)} ${count === 1 ? "startet" : "starten"}`,
  startingOf: (count, healthy, of) =>
    `${engines(count)} ${count === 1 ? "startet" : "starten"}: ${healthy} von ${of} in Ordnung`,
  sized: (target) => `Die Anzahl der Engines wurde auf ${target} gesetzt`,
  sizedFrom: (target, before) =>
    `Die Anzahl der Engines wurde auf ${target} gesetzt (vorher: ${before})`,
  replacingAll: (count) => `Das Ersetzen von ${engines(count)} hat begonnen`,
  replacedAll: (count) => `${engines(count)} ersetzt`,
  runtimeBack: (count) => `Engines sind erreichbar: ${count} laufen`,
  runtimeAway: "Das Programm, das die Engines ausführt, antwortet nicht",
};
