import { type ReactNode, useEffect, useRef } from "react";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import styles from "./Player.module.css";
import type { Player } from "./usePlayer";

/**
 * Clip and markers: under the picture, or in a sheet beside it, which can be played meanwhile. They
 * stay what they are when the sheet is closed, as a clip may be on its way.
 */
export function ToolPanel({ tools, children }: { tools: Player["tools"]; children: ReactNode }) {
  const { inSheet, open, setOpen, opener } = tools;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (open) heading.current?.focus({ preventScroll: true });
  }, [open]);
  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  return (
    <section
      className={inSheet ? styles.sheet : styles.tools}
      hidden={inSheet && !open}
      aria-label={words.player.tools}
      onKeyDown={(event) => {
        if (inSheet && event.key === "Escape") close();
      }}
    >
      {inSheet && (
        <div className="row between">
          <h3 ref={heading} tabIndex={-1}>
            {words.player.tools}
          </h3>
          <Button size="small" tone="quiet" aria-label={words.player.closeTools} onClick={close}>
            ✕
          </Button>
        </div>
      )}
      {children}
    </section>
  );
}
