/** What went wrong, and what to do about it, for each code of the server. */
const codes = {
  // Signing in and the connection.
  wrong_key: { what: "That is not the server's key." },
  too_many_attempts: {
    what: "Too many wrong keys from this device.",
    todo: "Wait a minute, then try again.",
  },
  link_invalid: { what: "This link is not valid.", todo: "Copy it again from the dashboard." },
  link_expired: { what: "This link has expired.", todo: "Copy it again from the dashboard." },
  unreached: {
    what: "The server cannot be reached.",
    todo: "Check that this device is in its network.",
  },
  no_answer: {
    what: "The server did not answer in time.",
    todo: "It may have been done: check before you try again.",
  },
  closing: { what: "The server is shutting down.", todo: "Try again once it is back." },
  too_busy: { what: "The server is busy.", todo: "Try again in a moment." },
  too_many_requests: {
    what: "The server gets too many requests from this device.",
    todo: "Wait a moment, then try again.",
  },
  cross_origin: {
    what: "This page does not belong to the server.",
    todo: "Open the dashboard at the server's own address.",
  },
  invalid_host: {
    what: "The server does not know the address under which this page was opened.",
    todo: "Open the dashboard at the server's own address, or add this one to the settings.",
  },
  body_too_large: { what: "The request is too large." },

  // Recording and live pictures.
  start_failed: { what: "The start failed.", todo: "Try again." },
  already_recording: {
    what: "Another match is being recorded.",
    todo: "Stop it first.",
  },
  stop_in_progress: {
    what: "The last match is still being saved.",
    todo: "Try again in a moment.",
  },
  cameras_not_started: {
    what: "A camera did not start.",
    todo: "Check cable, power and network.",
  },
  not_recording: { what: "No recording is running." },
  recording_protected: {
    what: "The recording has only just begun, so it was not stopped.",
    todo: "Stop it again and confirm.",
  },
  stop_failed: {
    what: "The recording has ended, but its files could not be checked.",
    todo: "Open the match and verify it.",
  },
  cameras_taken: {
    what: "The cameras are in use.",
    todo: "Close the live panorama or wait a moment, then try again.",
  },
  worker_silent: {
    what: "The camera program does not answer.",
    todo: "It restarts automatically. Try again in a few seconds.",
  },
  worker_gone: {
    what: "The camera program is restarting.",
    todo: "Try again in a few seconds.",
  },
  worker_died: {
    what: "The camera program stopped unexpectedly.",
    todo: "It restarts automatically. Try again in a few seconds.",
  },
  worker_hung: {
    what: "The camera program did not start in time.",
    todo: "Trying again automatically.",
  },
  camera_unknown: { what: "There is no such camera.", todo: "Check the settings." },
  no_cameras: { what: "No cameras are set up.", todo: "Add them to the settings." },
  no_picture: {
    what: "This camera sends no picture.",
    todo: "Check its cable, power and network.",
  },
  preview_stopped: { what: "The live picture was closed in the meantime.", todo: "Open it again." },
  recording_active: {
    what: "This is not possible while a match is being recorded.",
    todo: "Stop the recording first.",
  },
  live_unavailable: { what: "Live pictures cannot be shown.", todo: "Try again in a moment." },
  webrtc_unavailable: { what: "Live pictures with little delay are not available here." },
  stream_unknown: { what: "There is no such live picture." },
  unknown_session: { what: "This live picture has ended.", todo: "Open it again." },
  still_failed: { what: "The picture could not be taken.", todo: "Try again." },
  no_ffmpeg: {
    what: "The program ffmpeg is missing on the server.",
    todo: "Install it to make pictures and videos.",
  },
  element_missing: {
    what: "A part of GStreamer is missing on the server.",
    todo: "Install what is named under “Details”.",
  },
  encoder_missing: {
    what: "The server has no program to encode video.",
    todo: "Install what is named under “Details”.",
  },

  // Matches.
  recording_not_found: { what: "This match no longer exists." },
  match_id_missing: { what: "The name of the match is missing." },
  match_id_length: { what: "The name of the match is empty or too long." },
  match_id_space: { what: "The name of the match must not begin or end with a space." },
  match_id_leading_dot: { what: "The name of the match must not begin with a dot." },
  match_id_character: {
    what: "The name of the match has a character that is not allowed.",
    todo: "Use letters, digits, spaces, dots, hyphens and underscores.",
  },
  match_exists: {
    what: "There is already a match with this name.",
    todo: "Choose another name.",
  },
  match_protected: { what: "This match is protected.", todo: "Remove its protection first." },
  match_running: {
    what: "This match is still being recorded.",
    todo: "Stop the recording first.",
  },
  manifest_too_new: {
    what: "This match was recorded by a newer version of touchline.",
    todo: "Update the server.",
  },
  details_too_new: {
    what: "The details of this match were written by a newer version of touchline.",
    todo: "Update the server.",
  },
  details_damaged: { what: "The details of this match are damaged." },
  details_unreadable: { what: "The details of this match cannot be read." },
  details_not_saved: {
    what: "The match details could not be saved. The earlier ones are kept.",
    todo: "Check the disk.",
  },
  no_trash: { what: "The trash is turned off. What is deleted is gone for good." },
  not_in_trash: { what: "This match is no longer in the trash." },
  trash_failed: { what: "The match could not be deleted.", todo: "Check the disk." },
  restore_failed: {
    what: "The match could not be restored. It is still in the trash.",
    todo: "Check the disk.",
  },
  file_not_found: { what: "This file no longer exists." },
  file_shrank: { what: "The file changed while it was being sent.", todo: "Try again." },
  archive_broken: { what: "The download could not be completed.", todo: "Try again." },
  no_poster: { what: "There is no picture of this match yet." },
  marker_not_found: { what: "This mark no longer exists." },
  marker_without_time: { what: "The mark has no time." },
  markers_damaged: { what: "The marks of this match cannot be read. Nothing was changed." },
  too_many_markers: { what: "This match has as many marks as it can hold." },
  no_markers: { what: "This match has no marks yet.", todo: "Mark some moments first." },

  // Clips and videos.
  no_such_footage: { what: "This match has no video of that camera." },
  no_footage: { what: "This match has no video of both cameras." },
  no_footage_then: { what: "There is no video at that time.", todo: "Choose another time." },
  footage_unusable: { what: "The video of that time cannot be used." },
  segment_not_found: { what: "This part of the video no longer exists." },
  clip_empty: { what: "The clip is empty.", todo: "Set its end after its start." },
  clip_too_long: { what: "The clip is too long.", todo: "Choose a shorter one." },
  clip_time: { what: "The time of the clip is not valid." },
  clip_failed: { what: "The clip could not be made.", todo: "Try again." },
  clip_broken: { what: "The clip could not be completed.", todo: "Try again." },
  not_media: { what: "This cannot be opened in a player." },
  job_not_found: { what: "This task no longer exists." },
  too_many_jobs: {
    what: "Too many tasks are waiting.",
    todo: "Wait until some have finished, or cancel them.",
  },
  no_storage: { what: "No online storage is set up.", todo: "Set up S3 in the settings first." },
  disk_full: { what: "The disk is full.", todo: "Delete matches that are no longer needed." },
  disk_gone: {
    what: "The recordings disk is not connected.",
    todo: "Connect and mount it. The command is under “Details”.",
  },
  disk_read_only: {
    what: "The recordings disk is write-protected.",
    todo: "Make it writable. The command is under “Details”.",
  },
  disk_error: {
    what: "The recordings disk cannot be used.",
    todo: "Check the disk. What helps is under “Details”.",
  },
  disk_low: { what: "There is not enough room on the disk.", todo: "Delete or move some matches." },
  disk_failed: { what: "The disk cannot be written to.", todo: "Check the disk." },
  no_last_stop: { what: "This message was already dismissed." },
  no_panorama: {
    what: "This match has no panorama video yet.",
    todo: "Create the panorama video first.",
  },
  nothing_to_upload: {
    what: "There is nothing to upload.",
    todo: "Create videos of the match first.",
  },
  upload_refused: {
    what: "The online storage refused the upload.",
    todo: "Check its keys and its rights in the settings.",
  },
  upload_unreachable: {
    what: "The online storage cannot be reached.",
    todo: "Check the internet connection, then try again.",
  },
  upload_failed: { what: "The upload failed.", todo: "Try again." },
  upload_differs: {
    what: "A file arrived damaged at the online storage.",
    todo: "Upload it again.",
  },
  camera_without_archive: {
    what: "One of the cameras has no video of this match. The other videos are done.",
  },
  not_written: { what: "The picture could not be saved.", todo: "Check the disk." },
  picture_failed: { what: "The picture could not be made.", todo: "Try again." },
  stopped: { what: "It was stopped before it was done.", todo: "Start it again." },
  internal: {
    what: "Something went wrong in the video program.",
    todo: "Try again. If it stays, the logs under System tell more.",
  },
  studio_lost: { what: "The video program stopped unexpectedly.", todo: "Try again." },

  // Panorama.
  not_calibrated: {
    what: "The panorama is not calibrated.",
    todo: "Calibrate it on the Panorama page.",
  },
  panorama_not_calibrated: {
    what: "The panorama is not calibrated.",
    todo: "Calibrate it on the Panorama page.",
  },
  panorama_active: { what: "The live panorama is already open." },
  panorama_inactive: { what: "The live panorama is closed." },
  panorama_late: { what: "The panorama did not start in time.", todo: "Try again." },
  panorama_failed: { what: "The panorama could not be shown.", todo: "Try again." },
  no_two_cameras: { what: "A panorama needs two cameras." },
  calibration_refused: {
    what: "The cameras are in use, so they cannot be calibrated now.",
    todo: "Stop the recording or close the live pictures first.",
  },
  calibration_not_found: { what: "This calibration no longer exists." },
  not_started: { what: "The calibration has not been started." },
  enough: { what: "All picture pairs have been captured.", todo: "Finish the calibration now." },
  too_few_frames: { what: "There are too few picture pairs.", todo: "Capture more." },
  no_pair: {
    what: "The cameras did not send pictures of the same moment.",
    todo: "Check both cameras, then try again.",
  },
  picture_unreadable: { what: "One of the pictures cannot be read.", todo: "Capture it again." },
  no_pictures: { what: "There are no pictures to calibrate with.", todo: "Capture some first." },
  projection: {
    what: "The calibration does not fit these pictures.",
    todo: "Calibrate again.",
  },
  live_lost: { what: "The live panorama lost its pictures.", todo: "Open it again." },
  other_shape: { what: "The pictures of the two cameras differ in size." },
  too_few_matches: {
    what: "Too few points match in both pictures.",
    todo: "Turn the cameras until their views overlap by about a quarter, or mark points by hand.",
  },
  no_agreement: {
    what: "The matching points contradict each other.",
    todo: "Have people walk through the overlap and try again, or mark points by hand.",
  },
  overlap: {
    what: "The views overlap too little or too much.",
    todo: "Turn one camera until they overlap by about a quarter.",
  },
  poor_fit: {
    what: "The pictures do not fit together well enough.",
    todo: "Turn one camera until the views overlap by about a quarter.",
  },
  nothing_given: { what: "Nothing was changed." },

  // Engines and streams.
  engine_not_found: { what: "This engine no longer exists." },
  container_not_found: { what: "This container no longer exists." },
  stream_not_found: { what: "This stream has ended." },
  not_managed: { what: "This engine is not managed here, so it was not changed." },
  max_capacity: {
    what: "No more engines can be started.",
    todo: "Wait until one is free, or raise the maximum.",
  },
  circuit_breaker: {
    what: "No engines are started at the moment, because several starts failed.",
    todo: "The reasons are under System → Events.",
  },
  breaker_not_found: { what: "Engine starts are not paused." },
  reprovision_in_progress: {
    what: "The engines are already being replaced.",
    todo: "Wait until that has finished.",
  },
  demand_invalid: { what: "The number of engines must not be negative." },
  runtime_unavailable: {
    what: "Docker or the engine program cannot be reached.",
    todo: "Check that it is running.",
  },
  daemon_error: { what: "Docker reported an error." },
  image_required: { what: "The image of the engine is missing." },
  image_not_found: { what: "The image of the engine was not found.", todo: "Check its name." },
  registry_credentials: { what: "The image cannot be loaded: the registry refused the sign-in." },
  instance_not_found: { what: "This engine no longer exists." },
  name_in_use: { what: "This name is taken.", todo: "Choose another one." },
  port_in_use: { what: "A port is already in use.", todo: "Choose another one." },
  ports_not_published: { what: "Ports cannot be chosen here.", todo: "Leave them empty." },
  ports_unknown: { what: "No free port was found.", todo: "Trying again automatically." },
  start_timeout: { what: "The engine did not start in time." },
  engine_unreachable: { what: "The engine does not answer." },
  engine_answer: { what: "The engine sent an invalid response." },
  session_gone: { what: "The engine no longer knows this stream." },
  no_content: { what: "The engine has no details of this stream." },
  no_stat_url: { what: "This stream does not play on an engine of this server." },
  infohash_unknown: { what: "The content of this stream is not known." },
  stats_unavailable: { what: "There are no figures of this engine at the moment." },
  foreign_url: { what: "The address does not belong to the engine." },
  env_not_allowed: { what: "One of the environment variables is not allowed." },
  argument_not_allowed: { what: "One of the parameters is not allowed here." },
  invalid_configuration: { what: "The variant has a fault." },
  invalid_name: { what: "This name is not allowed." },
  configuration_not_saved: {
    what: "The variant could not be saved. The earlier one is kept.",
    todo: "Check the disk.",
  },
  template_not_found: { what: "This template is empty." },
  vpn_disconnected: {
    what: "The VPN is not connected, so no engines are started.",
    todo: "They start once it is connected again.",
  },
  vpn_disabled: { what: "No VPN is set up." },
  vpn_control_failed: { what: "The VPN does not answer." },
  vpn_control_refused: {
    what: "The VPN refused the sign-in.",
    todo: "Set its key in the settings.",
  },
  idempotency_key_reused: { what: "This request was already sent with other contents." },

  // The server itself.
  database_unavailable: {
    what: "The database is not available. Nothing was changed.",
    todo: "Try again in a moment.",
  },
  database_failed: { what: "The database failed.", todo: "Check the disk." },
  database_closed: { what: "The server is shutting down.", todo: "Try again once it is back." },
  internal_error: {
    what: "Something went wrong on the server.",
    todo: "Try again. If it stays, the logs under System tell more.",
  },
  unknown_action: {
    what: "The server does not know this request.",
    todo: "Reload the page: the server may have been updated.",
  },
  invalid_params: {
    what: "The server does not understand this request.",
    todo: "Reload the page: the server may have been updated.",
  },
  unknown_log_type: { what: "There is no such log." },
  log_file_not_found: { what: "This log no longer exists." },
  log_unreadable: { what: "The log cannot be read." },
  client_gone: { what: "The connection broke before it was done.", todo: "Try again." },
  settings_invalid: { what: "A setting is not valid." },

  // Values that were refused.
  missing: { what: "Something is missing." },
  greater_than_equal: { what: "The number is too small." },
  greater_than: { what: "The number is too small." },
  less_than_equal: { what: "The number is too large." },
  less_than: { what: "The number is too large." },
  int_parsing: { what: "This must be a whole number." },
  int_type: { what: "This must be a whole number." },
  int_from_float: { what: "This must be a whole number." },
  float_parsing: { what: "This must be a number." },
  float_type: { what: "This must be a number." },
  string_too_long: { what: "The text is too long." },
  string_too_short: { what: "The text is too short." },
  date_from_datetime_parsing: { what: "This is not a date." },
  date_parsing: { what: "This is not a date." },
};

/** Failures, each in words for people; what the server itself says is shown as details. */
export const errors = {
  codes,
  failed: {
    what: "Something went wrong on the server.",
    todo: "Try again. If it stays, the log under System tells more.",
  },
  unavailable: { what: "The server cannot do this at the moment.", todo: "Try again in a moment." },
  signedOut: { what: "You are signed out.", todo: "Sign in again." },
  unknown: { what: "Something went wrong.", todo: "Try again." },
  page: {
    title: "This page cannot be shown",
    text: "The server may have been updated, or the connection broke while the page was loading. A running recording is not affected.",
    reload: "Reload",
  },
};
