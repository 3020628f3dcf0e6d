import { type ReactNode, useId } from "react";
import styles from "./Segmented.module.css";

/** One of a few values, as a row of buttons; arrow keys go from one to the next. */
export function Segmented<T extends string>({
  label,
  options,
  value,
  onChange,
  hideLabel,
  disabled,
}: {
  label: string;
  options: readonly (readonly [T, ReactNode])[];
  value: T;
  onChange: (value: T) => void;
  hideLabel?: boolean;
  disabled?: boolean;
}) {
  const name = useId();
  return (
    <fieldset className={styles.group} disabled={disabled}>
      <legend className={hideLabel ? "sr-only" : styles.label}>{label}</legend>
      <div className={styles.row}>
        {options.map(([each, text]) => (
          <label key={each} className={styles.segment}>
            <input
              type="radio"
              name={name}
              value={each}
              checked={each === value}
              onChange={() => onChange(each)}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
