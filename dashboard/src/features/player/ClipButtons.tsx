import { Download, Share2, X } from "lucide-react";
import { words } from "../../messages";
import { Button, ErrorNote, Progress } from "../../ui/basics";
import styles from "./Player.module.css";
import { type ClipState, canShareClips, useClipFile } from "./useClipFile";

type Texts = { save: string; saveLabel?: string; share: string; shareLabel?: string };

/** Saves a clip, or shares it where the device does that; what becomes of it stands beside. */
export function ClipButtons({
  url,
  name,
  disabled,
  texts,
  icons,
}: {
  url: string;
  name: string;
  disabled?: boolean;
  texts: Texts;
  /** Whether the second button is a picture without its text. */
  icons?: boolean;
}) {
  const { state, run, share } = useClipFile(url, name);
  const loading = state.step === "loading";
  return (
    <>
      <Button
        size="small"
        disabled={disabled && !loading}
        aria-label={loading ? undefined : texts.saveLabel}
        onClick={() => run("save")}
      >
        {loading ? <X size={16} aria-hidden /> : <Download size={16} aria-hidden />}
        {loading ? words.player.clip.stop(percentOf(state.share)) : texts.save}
      </Button>
      {canShareClips() && (
        <Button
          size="small"
          icon={icons}
          disabled={disabled || loading}
          aria-label={icons ? (texts.shareLabel ?? texts.share) : texts.shareLabel}
          onClick={() => run("share")}
        >
          <Share2 size={16} aria-hidden />
          {!icons && texts.share}
        </Button>
      )}
      <Outcome state={state} name={name} onShare={share} />
    </>
  );
}

const percentOf = (share: number | null) => `${Math.round((share ?? 0) * 100)} %`;

/** How far it is, and how it ended. */
function Outcome({
  state,
  name,
  onShare,
}: {
  state: ClipState;
  name: string;
  onShare: (file: File) => void;
}) {
  const { clip } = words.player;
  if (state.step === "failed") {
    return (
      <div className={styles.outcome}>
        <ErrorNote error={state.error} />
      </div>
    );
  }
  const told = { idle: "", loading: clip.cutting, ready: clip.ready, ...endsOf(name) }[state.step];
  return (
    <div className={told ? styles.outcome : "sr-only"}>
      {state.step === "loading" && (
        <Progress label={clip.progress(name)} value={state.share ?? 0} />
      )}
      <span role="status" className="small muted">
        {state.step === "loading" && state.share !== null ? "" : told}
      </span>
      {state.step === "ready" && (
        <Button size="small" tone="primary" onClick={() => onShare(state.file)}>
          <Share2 size={16} aria-hidden /> {clip.shareNow}
        </Button>
      )}
    </div>
  );
}

function endsOf(name: string) {
  const { saved, started, tooLarge } = words.player.clip;
  return { saved: saved(name), started: started(name), tooLarge: tooLarge(name) };
}
