import {
  BookmarkPlus,
  Keyboard,
  ListVideo,
  Maximize,
  Minimize,
  Pause,
  Play,
  SkipBack,
  SkipForward,
} from "lucide-react";
import { clock } from "../../lib/format";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import styles from "./Player.module.css";
import type { Playback } from "./usePlayback";
import type { Player } from "./usePlayer";

export function Transport({ playback }: { playback: Playback }) {
  const { at, lasts, playing, toggle, step } = playback;
  const { player } = words;
  return (
    <div className={styles.transport}>
      <Button icon aria-label={player.back} onClick={() => step(-10)}>
        <SkipBack size={18} aria-hidden />
      </Button>
      <Button
        tone="primary"
        icon
        aria-label={playing ? player.pause : player.play}
        onClick={toggle}
      >
        {playing ? <Pause size={20} aria-hidden /> : <Play size={20} aria-hidden />}
      </Button>
      <Button icon aria-label={player.on} onClick={() => step(10)}>
        <SkipForward size={18} aria-hidden />
      </Button>
      <span className={styles.clock}>
        {clock(Math.min(at, lasts))} / {clock(lasts)}
      </span>
    </div>
  );
}

const RATES = ["0.25", "0.5", "1", "1.5", "2", "4"] as const;

export function Rate({ rate, onChange }: { rate: string; onChange: (rate: string) => void }) {
  return (
    <label className={`small ${styles.speed}`}>
      <span>{words.player.speed}</span>
      <select
        className={`input ${styles.narrow}`}
        value={rate}
        onChange={(event) => onChange(event.target.value)}
      >
        {RATES.map((each) => (
          <option key={each} value={each}>
            {each}×
          </option>
        ))}
      </select>
    </label>
  );
}

/** What is done beside playing: mark, full screen, and what is behind buttons where room is scarce. */
export function Extras({
  onMark,
  onKeys,
  full,
  tools,
}: {
  onMark: () => void;
  onKeys: () => void;
  full: Player["full"];
  tools: Player["tools"];
}) {
  const { player } = words;
  return (
    <div className={styles.transport}>
      <Button icon aria-label={player.keys.does.mark} onClick={onMark}>
        <BookmarkPlus size={18} aria-hidden />
      </Button>
      {tools.inSheet && (
        <Button
          ref={tools.opener}
          icon
          aria-label={player.tools}
          aria-expanded={tools.open}
          onClick={() => tools.setOpen(!tools.open)}
        >
          <ListVideo size={18} aria-hidden />
        </Button>
      )}
      <Button icon className={styles.forKeys} aria-label={player.keys.open} onClick={onKeys}>
        <Keyboard size={18} aria-hidden />
      </Button>
      <Button icon aria-label={full.on ? player.leaveFull : player.full} onClick={full.toggle}>
        {full.on ? <Minimize size={18} aria-hidden /> : <Maximize size={18} aria-hidden />}
      </Button>
    </div>
  );
}
