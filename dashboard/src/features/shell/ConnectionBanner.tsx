import { useEffect, useState } from "react";
import { live, useConnection } from "../../api/live";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import styles from "./Shell.module.css";

const GRACE_MS = 1_000;

/** Says that what is shown may be old; a connection that is back within a second says nothing. */
export function ConnectionBanner() {
  const connection = useConnection();
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (connection !== "lost") return;
    const timer = setTimeout(() => setLate(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [connection]);
  const { lost, full, connectNow } = words.shell.connection;
  return (
    <div role="status" aria-live="assertive" className={styles.told}>
      {late && (
        <div className={styles.banner}>
          <span className="grow">{live.reason ? full : lost}</span>
          <Button size="small" onClick={() => live.retryNow()}>
            {connectNow}
          </Button>
        </div>
      )}
    </div>
  );
}
