import { useId, useState } from "react";
import { number } from "../../../lib/format";
import { words } from "../../../messages";
import type { Entry } from "./Parameters";
import styles from "./Variant.module.css";

/**
 * A whole number within its limits. What is out of them is told under the field when one has
 * finished typing, and the field then has the old value again.
 */
export function NumberValue({
  label,
  value,
  entry,
  disabled,
  onChange,
}: {
  label: string;
  value: number;
  entry: Entry | undefined;
  disabled: boolean;
  onChange: (value: number) => void;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const id = useId();
  const limits = limitsOf(entry);
  const range = rangeText(limits);
  const change = (text: string) => {
    setFault(null);
    setTyped(text);
    const wanted = wholeNumber(text, limits);
    if (wanted !== null) onChange(wanted);
  };
  const finish = () => {
    const { restoredValue, wholeNumber: whole } = words.engines.variant;
    if (typed !== null && wholeNumber(typed, limits) === null) {
      setFault(restoredValue(range ?? whole, number(value)));
    }
    setTyped(null);
  };
  const told = fault ?? range;
  return (
    <div className={styles.value}>
      <input
        className="input"
        aria-label={label}
        aria-describedby={told ? id : undefined}
        aria-invalid={fault ? true : undefined}
        type="number"
        step={1}
        min={limits.least ?? undefined}
        max={limits.most ?? undefined}
        value={typed ?? value}
        disabled={disabled}
        onChange={(event) => change(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === "Enter") finish();
        }}
      />
      {told && (
        <small
          id={id}
          className={fault ? "field-error" : "muted"}
          role={fault ? "alert" : undefined}
        >
          {told}
        </small>
      )}
    </div>
  );
}

type Limits = { least: number | null; most: number | null };

/** The limits of a parameter; one that no number here can express is none. */
function limitsOf(entry: Entry | undefined): Limits {
  const expressed = (limit: number | null | undefined) =>
    limit === null || limit === undefined || Math.abs(limit) > Number.MAX_SAFE_INTEGER
      ? null
      : limit;
  return { least: expressed(entry?.minimum), most: expressed(entry?.maximum) };
}

function rangeText({ least, most }: Limits): string | null {
  const { range, atLeast } = words.engines.variant;
  if (least === null) return null;
  return most === null ? atLeast(number(least)) : range(number(least), number(most));
}

/** The number that is typed; null where it is none that may be saved. */
function wholeNumber(text: string, { least, most }: Limits): number | null {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value)) return null;
  const low = least ?? Number.NEGATIVE_INFINITY;
  const high = most ?? Number.POSITIVE_INFINITY;
  return value >= low && value <= high ? value : null;
}
