import { Download } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { namedPath } from "../api/capture";
import { download } from "../lib/download";
import { errorText } from "../lib/errorWords";
import { percent } from "../lib/format";
import { words } from "../messages";
import { Button, Progress } from "./basics";
import styles from "./DownloadButton.module.css";
import { useFeedback } from "./feedback";

/** Downloads with progress; pressed again it is given up. */
export function DownloadButton({
  url,
  name,
  children,
  disabled,
  label,
}: {
  url: string;
  /** The name under which the file is saved. */
  name: string;
  children: ReactNode;
  disabled?: boolean;
  /** What it is called where its text alone does not tell which file it is. */
  label?: string;
}) {
  const [share, setShare] = useState<number | null>(null);
  const { tell } = useFeedback();
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const press = async () => {
    if (running.current) {
      running.current.abort();
      return;
    }
    const controller = new AbortController();
    running.current = controller;
    setShare(0);
    try {
      const how = await download(namedPath(url, name), name, setShare, controller.signal);
      tell(how === "saved" ? words.shell.download.saved(name) : words.shell.download.started(name));
    } catch (error) {
      if (controller.signal.aborted) tell(words.shell.download.stopped);
      else tell(errorText(error), { bad: true });
    } finally {
      running.current = null;
      setShare(null);
    }
  };
  return (
    <span className="row">
      <Button
        size="small"
        onClick={press}
        disabled={disabled}
        aria-label={share === null ? label : undefined}
      >
        <Download size={16} aria-hidden />
        {share === null ? children : words.shell.download.stop(percent(share * 100))}
      </Button>
      {share !== null && (
        <span className={styles.progress}>
          <Progress label={words.shell.download.progress(name)} value={share} />
        </span>
      )}
    </span>
  );
}
