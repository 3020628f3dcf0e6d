import { engines } from "./engines";
import { errors } from "./errors";
import { format } from "./format";
import { library } from "./library";
import { matchday } from "./matchday";
import { panorama } from "./panorama";
import { player } from "./player";
import { preview } from "./preview";
import { shell } from "./shell";
import { system } from "./system";

/** Every text of the dashboard in English, by the part of the page that shows it. */
export const en = {
  errors,
  format,
  matchday,
  library,
  player,
  preview,
  panorama,
  engines,
  system,
  shell,
};
