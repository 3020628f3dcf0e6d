import type { Messages } from "..";

export const preview: Messages["preview"] = {
  liveNamed: (name) => `${name}, live`,
  title: "Vorschau",
  pictures: "Bilder",
  cameras: "Kameras",
  panorama: "Panorama",
  aids: "Hilfslinien",
  grid: "Raster",
  level: "Waagerechte",
  overlap: "Überlappung",
  overlapUnknown: "Zuerst das Panorama kalibrieren: Dabei wird die Überlappung gemessen.",
  notCalibrated: "Das Panorama ist noch nicht kalibriert",
  notCalibratedBody: "Nach der Kalibrierung wird es hier gezeigt.",
  calibrate: "Jetzt kalibrieren",
  noCameras: "Es sind noch keine Kameras eingerichtet.",
  noCamerasBody:
    "Kameras in die Einstellungsdatei eintragen und den Server neu starten. Dann hier prüfen, ob jede das Spielfeld zeigt.",
  check: "Diesen Server prüfen",
  snapshotOf: (name) => `Standbild von ${name}`,
  saved: (file) => `Gespeichert als ${file}`,
  noPicture: "Noch kein Bild da. Warten, bis es läuft, und noch einmal versuchen.",
  notDrawn: "Der Browser konnte das Bild nicht speichern. Bitte einen anderen Browser verwenden.",
  fullScreen: (name) => `${name} im Vollbild zeigen`,
  cameraSilent: "Die Kamera sendet kein Bild. Kabel, Strom und Netzwerk prüfen.",
  tooLate: "Es kam kein Bild. Neuer Versuch …",
  connectionFailed: "Die Bildverbindung ist fehlgeschlagen. Neuer Versuch …",
  closed: "Das Live-Bild wurde geschlossen. Neuer Versuch …",
  zoomIn: "Vergrößern",
  zoomOut: "Verkleinern",
  zoomKeys: (name) =>
    `${name}: mit + und − vergrößern und verkleinern, mit den Pfeiltasten bewegen, 0 zeigt das ganze Bild`,
};
