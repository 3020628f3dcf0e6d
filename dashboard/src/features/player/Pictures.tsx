import { useEffect, useRef } from "react";
import { errorWords } from "../../lib/errorWords";
import { words } from "../../messages";
import { Details, Note } from "../../ui/basics";
import pictures from "../../video/Video.module.css";
import styles from "./Player.module.css";
import type { Source } from "./sources";
import type { Playback } from "./usePlayback";

/** What is shown of a match, side by side. */
export function Pictures({
  shown,
  attach,
  onPress,
  onFull,
}: {
  shown: Source[];
  attach: Playback["attach"];
  onPress: () => void;
  onFull: () => void;
}) {
  return (
    <div className={`${pictures.grid} ${styles.pictures}`}>
      {shown.map(({ id, name }) => (
        <Picture key={id} id={id} name={name} attach={attach} onPress={onPress} onFull={onFull} />
      ))}
    </div>
  );
}

function Picture({
  id,
  name,
  attach,
  onPress,
  onFull,
}: Source & { attach: Playback["attach"]; onPress: () => void; onFull: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (video.current ? attach(id, video.current) : undefined), [id, attach]);
  return (
    <div className={`${pictures.frame} ${id === "panorama" ? pictures.wide : ""}`}>
      <div className={pictures.label}>
        <span>{name}</span>
      </div>
      <video
        ref={video}
        muted
        playsInline
        aria-label={name}
        data-source={id}
        onClick={onPress}
        onDoubleClick={onFull}
      />
    </div>
  );
}

export function Failures({ shown, failures }: { shown: Source[]; failures: Playback["failures"] }) {
  return shown
    .filter(({ id }) => Object.hasOwn(failures, id))
    .map(({ id, name }) => {
      const { what, details } = errorWords(failures[id]);
      return (
        <Note key={id} tone="bad" alert title={words.player.cannotPlay(name)}>
          {words.player.cannotPlayMore(what.replace(/\.$/, ""))}
          <Details lines={details ? [details] : []} />
        </Note>
      );
    });
}
