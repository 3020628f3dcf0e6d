import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { toClipboard } from "../lib/clipboard";
import { words } from "../messages";
import { Button } from "./basics";

const SHOWN_MS = 2_000;

/**
 * Copies a text, such as an id of which only the beginning is shown. Where the browser gives no
 * clipboard the text is shown, selected, to be copied by hand.
 */
export function CopyButton({
  text,
  label,
  icon,
}: {
  text: string;
  /** What is copied, for a screen reader: `Copy id of acestream-2`. */
  label: string;
  icon?: boolean;
}) {
  const [state, setState] = useState<"idle" | "copied" | "shown">("idle");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    clearTimeout(timer.current);
    if (!(await toClipboard(text))) {
      setState("shown");
      return;
    }
    setState("copied");
    timer.current = setTimeout(() => setState("idle"), SHOWN_MS);
  };
  const copied = state === "copied";
  const Icon = copied ? Check : Copy;
  return (
    <span className="row">
      <Button size="small" icon={icon} tone="quiet" aria-label={label} onClick={() => void copy()}>
        <Icon size={16} aria-hidden />
        {!icon && (copied ? words.shell.copied : words.shell.copy)}
      </Button>
      <span className="sr-only" role="status">
        {copied && words.shell.copied}
      </span>
      {state === "shown" && (
        <input
          className="input"
          readOnly
          value={text}
          title={words.shell.copyByHand}
          aria-label={label}
          ref={(input) => input?.select()}
          onFocus={(event) => event.target.select()}
        />
      )}
    </span>
  );
}
