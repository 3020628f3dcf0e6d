import type { Messages } from "..";
import { counted } from "../counted";
import { activity } from "./activity";
import { variant } from "./variant";

const engineCount = (count: number) => counted(count, "Engine", "Engines");

export const engines: Messages["engines"] = {
  title: "Engines",
  status: { healthy: "in Ordnung", degraded: "eingeschränkt", unavailable: "nicht verfügbar" },
  tabs: {
    fleet: "Übersicht",
    activity: "Verlauf",
    streams: "Streams",
    vpn: "VPN",
    variant: "Einstellungen",
  },
  activity,
  variant,

  health: { healthy: "in Ordnung", unhealthy: "antwortet nicht", unknown: "startet" },
  paused: "pausiert",
  external: "nicht von hier verwaltet",
  forwarded: "weitergeleiteter Port",
  draining: {
    requested: "läuft aus",
    outdated: "läuft aus: alte Einstellungen",
    unhealthy: "läuft aus: antwortet nicht",
    dead_network: "läuft aus: Netzwerk verschwunden",
    vpn_lost: "läuft aus: VPN verloren",
    forwarding: "läuft aus: eine andere bekommt den weitergeleiteten Port",
    rebalancing: "läuft aus: Umzug zum anderen VPN",
    scale_down: "läuft aus: nicht mehr benötigt",
    idle: "läuft aus: unbenutzt",
  },
  drainingFor: (reason) => `läuft aus: ${reason}`,

  state: {
    title: "Zustand",
    running: "Laufen",
    runningOf: (running, most) => `${running} von ${most}`,
    healthy: "In Ordnung",
    free: "Frei",
    streams: "Streams",
    minimum: "Minimum",
    variant: "Variante",
    runtimeAway: "Das Programm, das die Engines ausführt, antwortet nicht",
    runtimeAwayBody:
      "Die Engines laufen weiter. Zu sehen ist der letzte bekannte Stand; bis das Programm wieder da ist, wird nichts gestartet oder entfernt.",
    vpnAway: "Das VPN ist nicht verbunden, deshalb kann keine Engine starten",
    vpnAwayBody:
      "Laufende Engines bleiben. Sobald das VPN wieder da ist, geht es von selbst weiter.",
    startsPaused: "Mehrere Starts sind gescheitert, deshalb wird gerade keine Engine gestartet",
    startsPausedFor: (length) => `Nächster Versuch in ${length}.`,
    startsPausedSoon: "Der nächste Versuch folgt mit der nächsten Anfrage.",
    tryNow: "Jetzt erneut versuchen",
    cannotStart: "Zurzeit kann keine Engine starten",
    why: "Nachsehen, was passiert ist",
    full: (most) => (most === 1 ? "Die einzige Engine läuft" : `Alle ${engineCount(most)} laufen`),
    fullBody: "Mehr können nicht starten: Das Maximum ist erreicht.",
    starting: (count, healthy, of) =>
      `${engineCount(count)} ${count === 1 ? "startet" : "starten"}: ${healthy} von ${of} in Ordnung`,
    waiting: (count) =>
      count === 1
        ? "Eine Engine wartet auf das Ende ihrer Streams"
        : `${count} Engines warten auf das Ende ihrer Streams`,
    waitingBody: (count) =>
      count === 1
        ? "Sie bekommt keine neuen Streams und wird danach entfernt."
        : "Sie bekommen keine neuen Streams und werden danach entfernt.",
    tooFew: (healthy, minimum) =>
      healthy === 0
        ? "Keine Engine ist in Ordnung"
        : `Nur ${healthy} von ${minimum} benötigten Engines in Ordnung`,
    tooFewBody: "Fehlende Engines werden automatisch gestartet.",
  },

  size: {
    label: "Anzahl der Engines",
    apply: "Übernehmen",
    of: (count, most) => `${count} von ${most}`,
    maximum: (most) => `Maximum ist ${most}`,
    staying: (count) =>
      count === 1
        ? "Eine Engine mit Streams bleibt, bis diese enden"
        : `${count} Engines mit Streams bleiben, bis diese enden`,
  },

  idle: {
    button: "Unbenutzte Engines entfernen",
    question: "Unbenutzte Engines entfernen?",
    body: "Engines, die lange keinen Stream hatten, werden bis zum Minimum entfernt, ebenso alte Einträge beendeter Streams.",
    removed: (count) =>
      count === 0 ? "Keine Engine ist lange genug unbenutzt" : `${engineCount(count)} entfernt`,
  },

  start: {
    button: "Mit Optionen starten",
    title: "Engine mit Optionen starten",
    body: "Für leere Felder gilt der Wert der Variante.",
    image: "Image",
    port: "Port auf diesem Rechner",
    labels: "Labels, je Zeile „Name=Wert“",
    env: "Umgebung, je Zeile „NAME=Wert“",
    submit: "Engine starten",
    starting: "Startet …",
    cancel: "Abbrechen",
    ready: (name, port) => `${name} ist auf Port ${port} bereit`,
    range: (least, most) => `${least} bis ${most}`,
    faults: {
      image_not_found: "Dieses Image gibt es nicht.",
      port_in_use: "Dieser Port ist belegt.",
      start_failed: "Die Engine ist nicht gestartet.",
      start_timeout: "Die Engine hat nicht rechtzeitig geantwortet und wurde entfernt.",
    },
  },

  fleet: {
    none: "Es läuft keine Engine",
    noneBody: "Oben die gewünschte Anzahl wählen und auf „Übernehmen“ drücken.",
    noneStarting: "Die erste Engine startet gerade.",
    hidden: "Engines hinter einem verlorenen VPN erscheinen wieder, sobald es zurück ist.",
    noMatch: "Keine Engine passt zu diesem Filter.",
    showAll: "Alle zeigen",
    view: "Darstellung der Engines",
    cards: "Karten",
    table: "Tabelle",
    filter: "Anzeigen",
    filters: {
      all: "Alle Engines",
      healthy: "In Ordnung",
      problems: "Mit Problemen",
      busy: "Mit Streams",
      free: "Ohne Streams",
      draining: "Auslaufende",
    },
    sort: "Sortieren nach",
    columns: {
      name: "Engine",
      health: "Zustand",
      address: "Adresse",
      streams: "Streams",
      cpu: "CPU",
      memory: "Speicher",
      vpn: "VPN",
    },
    actions: "Aktionen",
    list: "Engines",
    cpu: (value) => `CPU ${value}`,
    memory: (value) => `Speicher ${value}`,
    cpuOf: (name, value) => `CPU von ${name}: ${value}`,
    memoryOf: (name, value) => `Speicher von ${name}: ${value}`,
    variant: "Variante",
    version: "Version",
    lastUsed: "Zuletzt benutzt",
    cacheEmptied: "Cache geleert",
    streamsOn: (name) => `Streams auf ${name}`,
  },

  menu: {
    label: (name) => `Aktionen für ${name}`,
    activity: "Verlauf",
    inspect: "Container untersuchen",
    drain: "Auslaufen lassen",
    remove: "Löschen",
    drainQuestion: (name) => `${name} auslaufen lassen?`,
    drainBody:
      "Die Engine bekommt keine neuen Streams, und eine andere tritt an ihre Stelle. Sind ihre Streams beendet, wird sie entfernt.",
    removeQuestion: (name) => `${name} löschen?`,
    removeIdle: "Die Engine wird beendet und entfernt.",
    removeBusy: (count) =>
      count === 1
        ? "Ein Stream darauf endet sofort. Auslaufen lassen wartet sein Ende ab."
        : `${count} Streams darauf enden sofort. Auslaufen lassen wartet ihr Ende ab.`,
    container: (id) => `Container ${id}`,
    loading: "Wird geladen …",
  },

  sheet: {
    happened: "Was passiert ist",
    nothing: "Zu dieser Engine ist nichts aufgezeichnet.",
    gone: "Diese Engine läuft nicht mehr.",
    more: "Im Verlauf öffnen",
    unknown: "Engine",
  },

  streams: {
    none: "Es läuft kein Stream",
    noneBody: "Streams erscheinen hier, sobald ein Player einen über eine Engine öffnet.",
    list: "Streams",
    columns: {
      title: "Stream",
      engine: "Engine",
      since: "Seit",
      peers: "Gegenstellen",
      down: "Download",
      up: "Upload",
    },
    actions: "Aktionen",
    stop: "Beenden",
    stopNamed: (title) => `${title} beenden`,
    stopQuestion: (title) => `„${title}“ beenden?`,
    stopBody: "Der Stream endet für alle, die ihn sehen.",
    copy: (kind) => `${kind} kopieren`,
    copied: "Kopiert",
    keyTypes: {
      content_id: "Inhalts-ID",
      infohash: "Infohash",
      url: "Adresse",
      magnet: "Magnet-Link",
    },
    keyNames: {
      content_id: "Inhalts-ID",
      infohash: "Infohash",
      url: "Adresse",
      magnet: "Magnet-Link",
    },
    status: { started: "läuft", ended: "beendet" },
    ends: {
      stopped: "hier beendet",
      engine_died: "die Engine ist ausgefallen",
      deleted: "die Engine wurde gelöscht",
      stale_stream_detected: "die Engine hatte ihn nicht mehr",
      engine_unreachable: "die Engine antwortete nicht",
      scale_down: "die Engine wurde nicht mehr benötigt",
      idle: "die Engine war unbenutzt",
      outdated: "die Engine wurde ersetzt",
      requested: "die Engine wurde ersetzt",
      unhealthy: "die Engine antwortete nicht",
      dead_network: "die Engine verlor ihr Netzwerk",
      vpn_lost: "das VPN ging verloren",
    },
  },

  stream: {
    unknown: "Dieser Stream ist nicht mehr bekannt.",
    unknownBody: "Beendete Streams bleiben eine Stunde lang sichtbar.",
    back: "Alle Streams",
    now: "Jetzt",
    id: "Stream-ID",
    engine: "Engine",
    peers: "Gegenstellen",
    down: "Download",
    up: "Upload",
    downloaded: "Heruntergeladen",
    uploaded: "Hochgeladen",
    began: "Begonnen",
    ended: "Beendet",
    endedWhy: (when, why) => `${when}: ${why}`,
    speed: "Geschwindigkeit",
    content: "Inhalt",
    position: "Live-Position",
    refresh: "Aktualisieren",
    yes: "ja",
    no: "nein",
    facts: {
      title: "Titel",
      content_type: "Art",
      transport_type: "Übertragung",
      infohash: "Infohash",
      is_live: "Live",
      mime: "Format",
      suggested_filename: "Dateiname",
      media_files_count: "Mediendateien",
      pos: "Position",
      live_first: "Ältestes Stück",
      live_last: "Neuestes Stück",
      first_ts: "Ältestes Bild",
      last_ts: "Neuestes Bild",
      buffer_pieces: "Stücke im Puffer",
    },
  },

  vpn: {
    none: "Es ist kein VPN eingerichtet",
    noneBody: "Die Engines benutzen das Netzwerk dieses Rechners.",
    lost: (name) => `${name} ist verloren`,
    lostFor: (name, length) => `${name} ist seit ${length} verloren`,
    someVpn: "Ein VPN",
    lostBody: "Seine Engines werden hinter dem anderen VPN ersetzt, soweit Platz ist.",
    lostAlone: "Bis es wieder verbunden ist, kann keine Engine starten. Laufende Engines bleiben.",
    connected: "verbunden",
    state: "Status",
    health: "Zustand",
    port: "Weitergeleiteter Port",
    checked: "Geprüft",
    address: "Öffentliche Adresse",
    location: "Standort",
    provider: "Anbieter",
    healths: {
      healthy: "in Ordnung",
      unhealthy: "nicht verbunden",
      starting: "verbindet sich",
      unknown: "unbekannt",
    },
    states: {
      running: "läuft",
      exited: "beendet",
      created: "nicht gestartet",
      paused: "pausiert",
      restarting: "startet neu",
      not_found: "nicht gefunden",
      error: "nicht prüfbar",
      unknown: "noch nicht geprüft",
    },
  },
};
