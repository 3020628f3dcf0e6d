import type { Messages } from "..";

const codes: Messages["errors"]["codes"] = {
  wrong_key: { what: "Das ist nicht der Schlüssel des Servers." },
  too_many_attempts: {
    what: "Zu viele falsche Schlüssel von diesem Gerät.",
    todo: "Eine Minute warten, dann noch einmal versuchen.",
  },
  link_invalid: { what: "Dieser Link ist ungültig.", todo: "Im Dashboard neu kopieren." },
  link_expired: { what: "Dieser Link ist abgelaufen.", todo: "Im Dashboard neu kopieren." },
  unreached: {
    what: "Der Server ist nicht erreichbar.",
    todo: "Prüfen, ob dieses Gerät in seinem Netzwerk ist.",
  },
  no_answer: {
    what: "Der Server hat nicht rechtzeitig geantwortet.",
    todo: "Vielleicht ist es trotzdem geschehen: erst nachsehen, dann noch einmal versuchen.",
  },
  closing: {
    what: "Der Server wird gerade beendet.",
    todo: "Noch einmal versuchen, wenn er wieder läuft.",
  },
  too_busy: { what: "Der Server ist ausgelastet.", todo: "Gleich noch einmal versuchen." },
  too_many_requests: {
    what: "Der Server bekommt zu viele Anfragen von diesem Gerät.",
    todo: "Kurz warten, dann noch einmal versuchen.",
  },
  cross_origin: {
    what: "Diese Seite gehört nicht zum Server.",
    todo: "Das Dashboard unter der Adresse des Servers öffnen.",
  },
  invalid_host: {
    what: "Der Server kennt die Adresse nicht, unter der diese Seite geöffnet wurde.",
    todo: "Das Dashboard unter der Adresse des Servers öffnen oder diese in den Einstellungen ergänzen.",
  },
  body_too_large: { what: "Das ist zu viel auf einmal." },

  start_failed: { what: "Der Start ist fehlgeschlagen.", todo: "Noch einmal versuchen." },
  already_recording: {
    what: "Es wird schon ein anderes Spiel aufgenommen.",
    todo: "Zuerst diese Aufnahme stoppen.",
  },
  stop_in_progress: {
    what: "Das letzte Spiel wird noch gespeichert.",
    todo: "Gleich noch einmal versuchen.",
  },
  cameras_not_started: {
    what: "Eine Kamera ist nicht gestartet.",
    todo: "Kabel, Strom und Netzwerk prüfen.",
  },
  not_recording: { what: "Es wird nichts (mehr) aufgenommen." },
  recording_protected: {
    what: "Die Aufnahme hat eben erst begonnen und wurde deshalb nicht gestoppt.",
    todo: "Noch einmal stoppen und bestätigen.",
  },
  stop_failed: {
    what: "Die Aufnahme ist beendet, aber ihre Dateien konnten nicht geprüft werden.",
    todo: "Das Spiel öffnen und prüfen.",
  },
  cameras_taken: {
    what: "Die Kameras sind belegt.",
    todo: "Das Live-Panorama schließen oder kurz warten, dann noch einmal versuchen.",
  },
  worker_silent: {
    what: "Das Kameraprogramm antwortet nicht.",
    todo: "Es startet von selbst neu. In ein paar Sekunden noch einmal versuchen.",
  },
  worker_gone: {
    what: "Das Kameraprogramm startet gerade neu.",
    todo: "In ein paar Sekunden noch einmal versuchen.",
  },
  worker_died: {
    what: "Das Kameraprogramm hat sich unerwartet beendet.",
    todo: "Es startet von selbst neu. In ein paar Sekunden noch einmal versuchen.",
  },
  worker_hung: {
    what: "Das Kameraprogramm ist nicht rechtzeitig gestartet.",
    todo: "Es wird von selbst noch einmal versucht.",
  },
  camera_unknown: { what: "Diese Kamera gibt es nicht.", todo: "Einstellungen prüfen." },
  no_cameras: {
    what: "Es sind keine Kameras eingerichtet.",
    todo: "In den Einstellungen hinzufügen.",
  },
  no_picture: {
    what: "Diese Kamera sendet kein Bild.",
    todo: "Kabel, Strom und Netzwerk prüfen.",
  },
  preview_stopped: {
    what: "Das Live-Bild wurde inzwischen geschlossen.",
    todo: "Noch einmal öffnen.",
  },
  recording_active: {
    what: "Während einer Aufnahme ist das nicht möglich.",
    todo: "Zuerst die Aufnahme stoppen.",
  },
  live_unavailable: {
    what: "Live-Bilder können nicht gezeigt werden.",
    todo: "Gleich noch einmal versuchen.",
  },
  webrtc_unavailable: { what: "Live-Bilder ohne Verzögerung sind hier nicht verfügbar." },
  stream_unknown: { what: "Dieses Live-Bild gibt es nicht." },
  unknown_session: { what: "Dieses Live-Bild ist beendet.", todo: "Noch einmal öffnen." },
  still_failed: {
    what: "Das Bild konnte nicht aufgenommen werden.",
    todo: "Noch einmal versuchen.",
  },
  no_ffmpeg: {
    what: "Auf dem Server fehlt das Programm ffmpeg.",
    todo: "Installieren, um Bilder und Videos zu erstellen.",
  },
  element_missing: {
    what: "Auf dem Server fehlt ein Teil von GStreamer.",
    todo: "Installieren, was unter „Details“ steht.",
  },
  encoder_missing: {
    what: "Auf dem Server fehlt ein Programm zum Kodieren von Video.",
    todo: "Installieren, was unter „Details“ steht.",
  },

  recording_not_found: { what: "Dieses Spiel gibt es nicht (mehr)." },
  match_id_missing: { what: "Der Name des Spiels fehlt." },
  match_id_length: { what: "Der Name des Spiels ist leer oder zu lang." },
  match_id_space: {
    what: "Der Name des Spiels darf nicht mit einem Leerzeichen beginnen oder enden.",
  },
  match_id_leading_dot: { what: "Der Name des Spiels darf nicht mit einem Punkt beginnen." },
  match_id_character: {
    what: "Der Name des Spiels enthält ein Zeichen, das nicht erlaubt ist.",
    todo: "Erlaubt sind Buchstaben, Ziffern, Leerzeichen, Punkte, Binde- und Unterstriche.",
  },
  match_exists: {
    what: "Es gibt schon ein Spiel mit diesem Namen.",
    todo: "Einen anderen Namen wählen.",
  },
  match_protected: { what: "Dieses Spiel ist geschützt.", todo: "Zuerst den Schutz aufheben." },
  match_running: {
    what: "Dieses Spiel wird noch aufgenommen.",
    todo: "Zuerst die Aufnahme stoppen.",
  },
  manifest_too_new: {
    what: "Dieses Spiel wurde mit einer neueren Version von touchline aufgenommen.",
    todo: "Den Server aktualisieren.",
  },
  details_too_new: {
    what: "Die Angaben zu diesem Spiel stammen von einer neueren Version von touchline.",
    todo: "Den Server aktualisieren.",
  },
  details_damaged: { what: "Die Angaben zu diesem Spiel sind beschädigt." },
  details_unreadable: { what: "Die Angaben zu diesem Spiel können nicht gelesen werden." },
  details_not_saved: {
    what: "Die Angaben zum Spiel konnten nicht gespeichert werden. Die bisherigen gelten weiter.",
    todo: "Den Datenträger prüfen.",
  },
  no_trash: { what: "Der Papierkorb ist abgeschaltet. Gelöschtes ist endgültig weg." },
  not_in_trash: { what: "Dieses Spiel ist nicht (mehr) im Papierkorb." },
  trash_failed: {
    what: "Das Spiel konnte nicht gelöscht werden.",
    todo: "Den Datenträger prüfen.",
  },
  restore_failed: {
    what: "Das Spiel konnte nicht wiederhergestellt werden. Es liegt noch im Papierkorb.",
    todo: "Den Datenträger prüfen.",
  },
  file_not_found: { what: "Diese Datei gibt es nicht (mehr)." },
  file_shrank: {
    what: "Die Datei hat sich während der Übertragung geändert.",
    todo: "Noch einmal versuchen.",
  },
  archive_broken: {
    what: "Der Download konnte nicht abgeschlossen werden.",
    todo: "Noch einmal versuchen.",
  },
  no_poster: { what: "Von diesem Spiel gibt es noch kein Bild." },
  marker_not_found: { what: "Diese Markierung gibt es nicht (mehr)." },
  marker_without_time: { what: "Die Markierung hat keine Zeit." },
  markers_damaged: {
    what: "Die Markierungen dieses Spiels können nicht gelesen werden. Es wurde nichts geändert.",
  },
  too_many_markers: { what: "Dieses Spiel kann keine weiteren Markierungen aufnehmen." },
  no_markers: {
    what: "Dieses Spiel hat noch keine Markierungen.",
    todo: "Zuerst einige Momente markieren.",
  },

  no_such_footage: { what: "Von dieser Kamera gibt es zu diesem Spiel kein Video." },
  no_footage: { what: "Zu diesem Spiel gibt es kein Video von beiden Kameras." },
  no_footage_then: {
    what: "Zu diesem Zeitpunkt gibt es kein Video.",
    todo: "Einen anderen Zeitpunkt wählen.",
  },
  footage_unusable: { what: "Das Video dieses Zeitpunkts kann nicht verwendet werden." },
  segment_not_found: { what: "Diesen Teil des Videos gibt es nicht (mehr)." },
  clip_empty: { what: "Der Clip ist leer.", todo: "Das Ende hinter den Anfang setzen." },
  clip_too_long: { what: "Der Clip ist zu lang.", todo: "Einen kürzeren wählen." },
  clip_time: { what: "Die Zeit des Clips ist ungültig." },
  clip_failed: {
    what: "Der Clip konnte nicht erstellt werden.",
    todo: "Noch einmal versuchen.",
  },
  clip_broken: {
    what: "Der Clip konnte nicht abgeschlossen werden.",
    todo: "Noch einmal versuchen.",
  },
  not_media: { what: "Das lässt sich nicht in einem Player öffnen." },
  job_not_found: { what: "Diese Aufgabe gibt es nicht (mehr)." },
  too_many_jobs: {
    what: "Es warten zu viele Aufgaben.",
    todo: "Warten, bis einige fertig sind, oder welche abbrechen.",
  },
  no_storage: {
    what: "Es ist kein Online-Speicher eingerichtet.",
    todo: "Zuerst S3 in den Einstellungen einrichten.",
  },
  disk_full: {
    what: "Der Datenträger ist voll.",
    todo: "Spiele löschen, die nicht mehr gebraucht werden.",
  },
  disk_gone: {
    what: "Der Datenträger für Aufnahmen ist nicht angeschlossen.",
    todo: "Anschließen und einhängen. Der Befehl steht unter „Details“.",
  },
  disk_read_only: {
    what: "Der Datenträger für Aufnahmen ist schreibgeschützt.",
    todo: "Beschreibbar machen. Der Befehl steht unter „Details“.",
  },
  disk_error: {
    what: "Der Datenträger für Aufnahmen kann nicht benutzt werden.",
    todo: "Den Datenträger prüfen. Was hilft, steht unter „Details“.",
  },
  disk_low: {
    what: "Auf dem Datenträger ist nicht genug Platz.",
    todo: "Einige Spiele löschen oder verschieben.",
  },
  disk_failed: {
    what: "Auf den Datenträger kann nicht geschrieben werden.",
    todo: "Den Datenträger prüfen.",
  },
  no_last_stop: { what: "Diese Meldung wurde schon geschlossen." },
  no_panorama: {
    what: "Von diesem Spiel gibt es noch kein Panoramavideo.",
    todo: "Zuerst das Panoramavideo erstellen.",
  },
  nothing_to_upload: {
    what: "Es gibt nichts hochzuladen.",
    todo: "Zuerst Videos des Spiels erstellen.",
  },
  upload_refused: {
    what: "Der Online-Speicher hat den Upload abgelehnt.",
    todo: "Seine Schlüssel und Rechte in den Einstellungen prüfen.",
  },
  upload_unreachable: {
    what: "Der Online-Speicher ist nicht erreichbar.",
    todo: "Die Internetverbindung prüfen, dann noch einmal versuchen.",
  },
  upload_failed: { what: "Der Upload ist fehlgeschlagen.", todo: "Noch einmal versuchen." },
  upload_differs: {
    what: "Eine Datei kam beschädigt im Online-Speicher an.",
    todo: "Noch einmal hochladen.",
  },
  camera_without_archive: {
    what: "Von einer der Kameras gibt es kein Video dieses Spiels. Die anderen Videos sind fertig.",
  },
  not_written: {
    what: "Das Bild konnte nicht gespeichert werden.",
    todo: "Den Datenträger prüfen.",
  },
  picture_failed: {
    what: "Das Bild konnte nicht erstellt werden.",
    todo: "Noch einmal versuchen.",
  },
  stopped: { what: "Es wurde vor dem Ende abgebrochen.", todo: "Noch einmal starten." },
  internal: {
    what: "Im Videoprogramm ist etwas schiefgegangen.",
    todo: "Noch einmal versuchen. Bleibt es dabei, steht in den Protokollen unter „System“ mehr.",
  },
  studio_lost: {
    what: "Das Videoprogramm hat sich unerwartet beendet.",
    todo: "Noch einmal versuchen.",
  },

  not_calibrated: {
    what: "Das Panorama ist nicht kalibriert.",
    todo: "Auf der Seite „Panorama“ kalibrieren.",
  },
  panorama_not_calibrated: {
    what: "Das Panorama ist nicht kalibriert.",
    todo: "Auf der Seite „Panorama“ kalibrieren.",
  },
  panorama_active: { what: "Das Live-Panorama ist schon geöffnet." },
  panorama_inactive: { what: "Das Live-Panorama ist geschlossen." },
  panorama_late: {
    what: "Das Panorama ist nicht rechtzeitig gestartet.",
    todo: "Noch einmal versuchen.",
  },
  panorama_failed: {
    what: "Das Panorama konnte nicht gezeigt werden.",
    todo: "Noch einmal versuchen.",
  },
  no_two_cameras: { what: "Für ein Panorama braucht es zwei Kameras." },
  calibration_refused: {
    what: "Die Kameras sind belegt und können jetzt nicht kalibriert werden.",
    todo: "Zuerst die Aufnahme stoppen oder die Live-Bilder schließen.",
  },
  calibration_not_found: { what: "Diese Kalibrierung gibt es nicht (mehr)." },
  not_started: { what: "Die Kalibrierung wurde nicht begonnen." },
  enough: {
    what: "Alle Bildpaare sind aufgenommen.",
    todo: "Die Kalibrierung jetzt abschließen.",
  },
  too_few_frames: { what: "Es sind zu wenige Bildpaare.", todo: "Weitere aufnehmen." },
  no_pair: {
    what: "Die Kameras haben keine Bilder desselben Moments gesendet.",
    todo: "Beide Kameras prüfen, dann noch einmal versuchen.",
  },
  picture_unreadable: {
    what: "Eines der Bilder kann nicht gelesen werden.",
    todo: "Noch einmal aufnehmen.",
  },
  no_pictures: {
    what: "Es gibt keine Bilder zum Kalibrieren.",
    todo: "Zuerst welche aufnehmen.",
  },
  projection: {
    what: "Die Kalibrierung passt nicht zu diesen Bildern.",
    todo: "Neu kalibrieren.",
  },
  live_lost: { what: "Das Live-Panorama hat seine Bilder verloren.", todo: "Noch einmal öffnen." },
  other_shape: { what: "Die Bilder der beiden Kameras sind verschieden groß." },
  too_few_matches: {
    what: "Zu wenige Punkte stimmen in beiden Bildern überein.",
    todo: "Die Kameras so drehen, dass sich die Bilder etwa zu einem Viertel überlappen, oder Punkte von Hand setzen.",
  },
  no_agreement: {
    what: "Die gefundenen Punkte widersprechen sich.",
    todo: "Noch einmal versuchen, wenn im gemeinsamen Bereich etwas zu sehen ist, oder Punkte von Hand setzen.",
  },
  overlap: {
    what: "Die Bilder überlappen sich zu wenig oder zu stark.",
    todo: "Eine Kamera drehen, bis sie sich etwa zu einem Viertel überlappen.",
  },
  poor_fit: {
    what: "Die Bilder passen nicht gut genug zusammen.",
    todo: "Eine Kamera drehen, bis sich die Bilder etwa zu einem Viertel überlappen.",
  },
  nothing_given: { what: "Es wurde nichts geändert." },

  engine_not_found: { what: "Diese Engine gibt es nicht (mehr)." },
  container_not_found: { what: "Diesen Container gibt es nicht (mehr)." },
  stream_not_found: { what: "Dieser Stream ist beendet." },
  not_managed: { what: "Diese Engine wird nicht hier verwaltet und wurde nicht verändert." },
  max_capacity: {
    what: "Es können keine weiteren Engines gestartet werden.",
    todo: "Warten, bis eine frei ist, oder das Maximum erhöhen.",
  },
  circuit_breaker: {
    what: "Zurzeit werden keine Engines gestartet, weil mehrere Starts fehlgeschlagen sind.",
    todo: "Die Gründe stehen unter System → Ereignisse.",
  },
  breaker_not_found: { what: "Diese Startsperre gibt es nicht." },
  reprovision_in_progress: {
    what: "Die Engines werden gerade schon ersetzt.",
    todo: "Warten, bis das abgeschlossen ist.",
  },
  demand_invalid: { what: "Die Zahl der Engines darf nicht negativ sein." },
  runtime_unavailable: {
    what: "Docker oder das Engine-Programm ist nicht erreichbar.",
    todo: "Prüfen, ob es läuft.",
  },
  daemon_error: { what: "Docker hat einen Fehler gemeldet." },
  image_required: { what: "Das Image der Engine fehlt." },
  image_not_found: {
    what: "Das Image der Engine wurde nicht gefunden.",
    todo: "Seinen Namen prüfen.",
  },
  registry_credentials: {
    what: "Das Image kann nicht geladen werden: Die Registry hat die Anmeldung abgelehnt.",
  },
  instance_not_found: { what: "Diese Engine gibt es nicht (mehr)." },
  name_in_use: { what: "Dieser Name ist vergeben.", todo: "Einen anderen wählen." },
  port_in_use: { what: "Ein Port ist schon belegt.", todo: "Einen anderen wählen." },
  ports_not_published: { what: "Ports können hier nicht gewählt werden.", todo: "Leer lassen." },
  ports_unknown: {
    what: "Es wurde kein freier Port gefunden.",
    todo: "Es wird von selbst noch einmal versucht.",
  },
  start_timeout: { what: "Die Engine ist nicht rechtzeitig gestartet." },
  engine_unreachable: { what: "Die Engine antwortet nicht." },
  engine_answer: { what: "Die Engine hat eine unverständliche Antwort gegeben." },
  session_gone: { what: "Die Engine kennt diesen Stream nicht mehr." },
  no_content: { what: "Die Engine hat keine Angaben zu diesem Stream." },
  no_stat_url: { what: "Dieser Stream läuft nicht auf einer Engine dieses Servers." },
  infohash_unknown: { what: "Der Inhalt dieses Streams ist nicht bekannt." },
  stats_unavailable: { what: "Zu dieser Engine gibt es gerade keine Werte." },
  foreign_url: { what: "Die Adresse gehört nicht zur Engine." },
  env_not_allowed: { what: "Eine der Umgebungsvariablen ist nicht erlaubt." },
  argument_not_allowed: { what: "Einer der Parameter ist hier nicht erlaubt." },
  invalid_configuration: { what: "Die Variante enthält einen Fehler." },
  invalid_name: { what: "Dieser Name ist nicht erlaubt." },
  configuration_not_saved: {
    what: "Die Variante konnte nicht gespeichert werden. Die bisherige gilt weiter.",
    todo: "Den Datenträger prüfen.",
  },
  template_not_found: { what: "Diese Vorlage ist leer." },
  vpn_disconnected: {
    what: "Das VPN ist nicht verbunden, deshalb werden keine Engines gestartet.",
    todo: "Sie starten, sobald es wieder verbunden ist.",
  },
  vpn_disabled: { what: "Es ist kein VPN eingerichtet." },
  vpn_control_failed: { what: "Das VPN antwortet nicht." },
  vpn_control_refused: {
    what: "Das VPN hat die Anmeldung abgelehnt.",
    todo: "Seinen Schlüssel in den Einstellungen eintragen.",
  },
  idempotency_key_reused: { what: "Diese Anfrage wurde schon mit anderem Inhalt gesendet." },

  database_unavailable: {
    what: "Die Datenbank ist nicht verfügbar. Es wurde nichts geändert.",
    todo: "Gleich noch einmal versuchen.",
  },
  database_failed: { what: "Die Datenbank ist ausgefallen.", todo: "Den Datenträger prüfen." },
  database_closed: {
    what: "Der Server wird gerade beendet.",
    todo: "Noch einmal versuchen, wenn er wieder läuft.",
  },
  internal_error: {
    what: "Auf dem Server ist etwas schiefgegangen.",
    todo: "Noch einmal versuchen. Bleibt es dabei, steht in den Protokollen unter „System“ mehr.",
  },
  unknown_action: {
    what: "Der Server kennt diese Anfrage nicht.",
    todo: "Die Seite neu laden: Vielleicht wurde der Server aktualisiert.",
  },
  invalid_params: {
    what: "Der Server versteht diese Anfrage nicht.",
    todo: "Die Seite neu laden: Vielleicht wurde der Server aktualisiert.",
  },
  unknown_log_type: { what: "Dieses Protokoll gibt es nicht." },
  log_file_not_found: { what: "Dieses Protokoll gibt es nicht (mehr)." },
  log_unreadable: { what: "Das Protokoll kann nicht gelesen werden." },
  client_gone: {
    what: "Die Verbindung brach ab, bevor es erledigt war.",
    todo: "Noch einmal versuchen.",
  },
  settings_invalid: { what: "Eine Einstellung ist ungültig." },

  missing: { what: "Eine Angabe fehlt." },
  greater_than_equal: { what: "Die Zahl ist zu klein." },
  greater_than: { what: "Die Zahl ist zu klein." },
  less_than_equal: { what: "Die Zahl ist zu groß." },
  less_than: { what: "Die Zahl ist zu groß." },
  int_parsing: { what: "Hier muss eine ganze Zahl stehen." },
  int_type: { what: "Hier muss eine ganze Zahl stehen." },
  int_from_float: { what: "Hier muss eine ganze Zahl stehen." },
  float_parsing: { what: "Hier muss eine Zahl stehen." },
  float_type: { what: "Hier muss eine Zahl stehen." },
  string_too_long: { what: "Der Text ist zu lang." },
  string_too_short: { what: "Der Text ist zu kurz." },
  date_from_datetime_parsing: { what: "Das ist kein Datum." },
  date_parsing: { what: "Das ist kein Datum." },
};

export const errors: Messages["errors"] = {
  codes,
  failed: {
    what: "Auf dem Server ist etwas schiefgegangen.",
    todo: "Noch einmal versuchen. Bleibt es dabei, steht im Protokoll unter „System“ mehr.",
  },
  unavailable: {
    what: "Der Server kann das im Moment nicht.",
    todo: "Gleich noch einmal versuchen.",
  },
  signedOut: { what: "Die Anmeldung ist abgelaufen.", todo: "Neu anmelden." },
  unknown: { what: "Etwas ist schiefgegangen.", todo: "Noch einmal versuchen." },
  page: {
    title: "Diese Seite kann nicht gezeigt werden",
    text: "Vielleicht wurde der Server aktualisiert, oder die Verbindung brach beim Laden ab. Eine laufende Aufnahme ist nicht betroffen.",
    reload: "Neu laden",
  },
};
