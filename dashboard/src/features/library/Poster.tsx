import { Film } from "lucide-react";
import { useEffect, useState } from "react";
import { posterPath } from "../../api/capture";
import styles from "./Poster.module.css";

/** A poster that is asked for first is made behind all other work, and may be refused meanwhile. */
const TRY_AGAIN_MS = 8_000;
const MOST_ATTEMPTS = 3;

/** The picture that stands for a match, in a box of its size from the start. */
export function Poster({ matchId, length }: { matchId: string; length?: string }) {
  const [attempts, setAttempts] = useState(0);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!failed || attempts + 1 >= MOST_ATTEMPTS) return;
    const timer = setTimeout(() => {
      setAttempts(attempts + 1);
      setFailed(false);
    }, TRY_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [failed, attempts]);
  return (
    <div className={styles.poster}>
      {failed ? (
        <Film size={40} aria-hidden />
      ) : (
        <img
          src={posterPath(matchId)}
          alt=""
          width={640}
          height={360}
          loading="lazy"
          decoding="async"
          onError={() => setFailed(true)}
        />
      )}
      {length && <span className={styles.length}>{length}</span>}
    </div>
  );
}
