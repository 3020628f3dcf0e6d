import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { errorText } from "../lib/errorWords";
import { number } from "../lib/format";
import { words } from "../messages";

type FieldProps = {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value, in words; it stands under the field and is read out. */
  error?: ReactNode;
} & ComponentProps<"input">;

/** One line of input with its label; `hint` and `error` stand under it and describe it. */
export function Field({ label, hint, error, id: given, ...rest }: FieldProps) {
  const made = useId();
  const id = given ?? made;
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={described || undefined}
        {...rest}
      />
      {hint && (
        <small id={`${id}-hint`} className="muted">
          {hint}
        </small>
      )}
      {error && (
        <small id={`${id}-error`} className="field-error" role="alert">
          {error}
        </small>
      )}
    </div>
  );
}

type NumberSettingProps = Omit<FieldProps, "value" | "onChange"> & {
  value: number | undefined;
  /** Saves it; what a promise is rejected with is told under the field. */
  onChange: (value: number) => unknown;
};

/**
 * A number that is saved when one has finished typing. A number outside of its limits and a save
 * that fails are told under the field, which then has the old value again.
 */
export function NumberSetting({ value, onChange, error, ...rest }: NumberSettingProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const asked = useRef<number | null>(null);
  const shown = useRef(value);
  useEffect(() => {
    const input = field.current;
    // What is typed but not yet asked for stays.
    const untouched = input?.value === String(shown.current ?? "");
    if (untouched || input?.valueAsNumber === asked.current) restore(input, value);
    shown.current = value;
    asked.current = null;
  }, [value]);

  const save = async (input: HTMLInputElement) => {
    const wanted = input.valueAsNumber;
    if (input.value === String(value ?? "") || wanted === asked.current) return;
    const wrong = faultOf(input);
    setProblem(wrong);
    if (wrong !== null) {
      restore(input, value);
      return;
    }
    asked.current = wanted;
    try {
      await onChange(wanted);
    } catch (failure) {
      if (asked.current !== wanted) return;
      asked.current = null;
      setProblem(errorText(failure));
      restore(field.current, value);
    }
  };
  return (
    <Field
      ref={field}
      type="number"
      defaultValue={value}
      error={problem ?? error}
      onBlur={(event) => void save(event.currentTarget)}
      onKeyDown={(event) => {
        if (event.key === "Enter") void save(event.currentTarget);
      }}
      {...rest}
    />
  );
}

function restore(input: HTMLInputElement | null, value: number | undefined) {
  if (input) input.value = String(value ?? "");
}

/** Why a number cannot be saved, in words; null for one that can. */
function faultOf(input: HTMLInputElement): string | null {
  const value = input.valueAsNumber;
  if (!Number.isFinite(value)) return words.shell.field.number;
  const { min, max } = input;
  if ((min !== "" && value < Number(min)) || (max !== "" && value > Number(max))) {
    return rangeText(min, max);
  }
  return input.validity.stepMismatch ? words.errors.codes.int_type.what : null;
}

/** The limits of a number: `2 to 800`, `Minimum: 2`. */
function rangeText(min: string, max: string): string {
  const { range, atLeast, atMost } = words.shell.field;
  if (min !== "" && max !== "") return range(number(Number(min), 3), number(Number(max), 3));
  return min !== "" ? atLeast(number(Number(min), 3)) : atMost(number(Number(max), 3));
}
