import type { ReactNode } from "react";
import styles from "./CardsTable.module.css";

/**
 * Frames a `<table>` that becomes a list of cards where the screen is narrow: there each row is a
 * card, and each cell has its `data-label` before it. A cell without one fills the line.
 */
export function CardsTable({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={`card ${styles.table}`} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
