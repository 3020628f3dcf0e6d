import { Pause, Play, SkipBack, SkipForward } from "lucide-react";
import { clock } from "../../lib/format";
import { Button } from "../../ui/basics";

export function Transport({
  at,
  lasts,
  playing,
  onPlay,
  onStep,
}: {
  at: number;
  lasts: number;
  playing: boolean;
  onPlay: (on: boolean) => void;
  onStep: (by: number) => void;
}) {
  return (
    <div className="row">
      <Button icon aria-label="Ten seconds back" onClick={() => onStep(-10)}>
        <SkipBack size={18} aria-hidden />
      </Button>
      <Button
        tone="primary"
        icon
        aria-label={playing ? "Pause" : "Play"}
        onClick={() => onPlay(!playing)}
      >
        {playing ? <Pause size={20} aria-hidden /> : <Play size={20} aria-hidden />}
      </Button>
      <Button icon aria-label="Ten seconds on" onClick={() => onStep(10)}>
        <SkipForward size={18} aria-hidden />
      </Button>
      <span className="number">
        {clock(at)} / {clock(lasts)}
      </span>
    </div>
  );
}

const RATES = ["0.25", "0.5", "1", "1.5", "2", "4"] as const;

export function Rate({ rate, onChange }: { rate: string; onChange: (rate: string) => void }) {
  return (
    <label className="row small">
      Speed
      <select
        className="input"
        style={{ width: "auto" }}
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
