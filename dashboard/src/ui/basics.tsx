import { Progress as RadixProgress, Switch as RadixSwitch, Tabs as RadixTabs } from "radix-ui";
import { type ComponentProps, type ReactNode, useId } from "react";
import { errorWords } from "../lib/errorWords";
import type { Series } from "../lib/history";
import { words } from "../messages";
import styles from "./basics.module.css";

export { Field, NumberSetting } from "./Field";

export type Tone = "good" | "warn" | "bad" | "info" | "plain";

type ButtonProps = ComponentProps<"button"> & {
  tone?: "primary" | "danger" | "quiet" | "plain";
  size?: "small" | "huge";
  icon?: boolean;
};

export function Button({ tone = "plain", size, icon, className = "", ...rest }: ButtonProps) {
  const classes = ["button", tone, size, icon && "icon", className].filter(Boolean).join(" ");
  return <button type="button" className={classes} {...rest} />;
}

export function Card({
  title,
  tools,
  children,
  ...rest
}: { title?: ReactNode; tools?: ReactNode } & Omit<ComponentProps<"section">, "title">) {
  const id = useId();
  return (
    <section className="card" aria-labelledby={title ? id : undefined} {...rest}>
      {(title || tools) && (
        <div className="card-head">
          {title && <h2 id={id}>{title}</h2>}
          {tools && <div className="row">{tools}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

export function Note({
  tone = "info",
  title,
  children,
  alert = false,
}: {
  tone?: Tone;
  title?: ReactNode;
  children?: ReactNode;
  alert?: boolean;
}) {
  return (
    <div className={`note ${tone}`} role={alert ? "alert" : undefined}>
      {title && <strong>{title}</strong>}
      {children && <div>{children}</div>}
    </div>
  );
}

/** The words of programs, for whoever asks for them. */
export function Details({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <details className="small">
      <summary>{words.shell.details}</summary>
      {lines.map((line) => (
        <p key={line} className="muted">
          {line}
        </p>
      ))}
    </details>
  );
}

/** What a query or an action said went wrong, what to do, and the server's words under it. */
export function ErrorNote({ error }: { error: unknown }) {
  if (!error) return null;
  const { what, todo, details } = errorWords(error);
  return (
    <Note tone="bad" alert title={what}>
      {(todo || details) && (
        <>
          {todo}
          <Details lines={details ? [details] : []} />
        </>
      )}
    </Note>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <div className={styles.empty}>{children}</div>;
}

export function Loading({ what = words.shell.loading }: { what?: string }) {
  return (
    <div className={styles.loading} role="status" data-loading>
      {what}
    </div>
  );
}

export function Choice({
  label,
  options,
  ...rest
}: { label: string; options: readonly (readonly [string, string])[] } & ComponentProps<"select">) {
  return (
    <label className="field">
      <span>{label}</span>
      <select className="input" {...rest}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Check({ label, ...rest }: { label: ReactNode } & ComponentProps<"input">) {
  return (
    <label className="check">
      <input type="checkbox" {...rest} />
      <span>{label}</span>
    </label>
  );
}

export function Switch({
  label,
  checked,
  onChange,
  disabled,
}: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div className="check">
      <RadixSwitch.Root
        id={id}
        className={styles.switch}
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
      >
        <RadixSwitch.Thumb className={styles.thumb} />
      </RadixSwitch.Root>
      <label htmlFor={id}>{label}</label>
    </div>
  );
}

export function Tabs({
  label,
  tabs,
  value,
  onChange,
  manual = false,
}: {
  label: string;
  tabs: readonly { id: string; title: string; content: () => ReactNode }[];
  value: string;
  onChange: (id: string) => void;
  /** The arrow keys only go to a tab, which Enter or Space then shows. */
  manual?: boolean;
}) {
  return (
    <RadixTabs.Root
      value={value}
      onValueChange={onChange}
      activationMode={manual ? "manual" : "automatic"}
    >
      <RadixTabs.List className={styles.tabs} aria-label={label}>
        {tabs.map((tab) => (
          <RadixTabs.Trigger key={tab.id} value={tab.id} className={styles.tab}>
            {tab.title}
          </RadixTabs.Trigger>
        ))}
      </RadixTabs.List>
      {tabs.map((tab) => (
        <RadixTabs.Content key={tab.id} value={tab.id} className={styles.panel}>
          {tab.content()}
        </RadixTabs.Content>
      ))}
    </RadixTabs.Root>
  );
}

export function Progress({
  label,
  value,
  tone = "plain",
}: {
  label: string;
  value: number;
  tone?: Tone;
}) {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <RadixProgress.Root
      className={`${styles.progress} ${styles[tone] ?? ""}`}
      value={percent}
      aria-label={label}
    >
      <div style={{ width: `${percent}%` }} />
    </RadixProgress.Root>
  );
}

export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The last values as a line, for a glance; the figure stands beside it in words. */
export function Sparkline({
  series,
  most,
  label,
}: {
  series: Series;
  most?: number;
  label: string;
}) {
  const { values } = series;
  const top = Math.max(most ?? 0, ...values, 1e-9);
  const step = values.length > 1 ? 100 / (values.length - 1) : 100;
  const points = values.map((value, n) => `${n * step},${30 - (value / top) * 28}`).join(" ");
  return (
    <svg className={styles.spark} viewBox="0 0 100 32" preserveAspectRatio="none" role="img">
      <title>{label}</title>
      <polyline
        points={points}
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}

/** A table that may be wider than the screen; it can be scrolled by keyboard, too. */
export function TableWrap({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={`${styles.tableWrap} card`} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
