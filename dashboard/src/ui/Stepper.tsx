import { Minus, Plus } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { number } from "../lib/format";
import { words } from "../messages";
import { Button } from "./basics";
import styles from "./Stepper.module.css";

type StepperProps = {
  label: string;
  value: number;
  onChange: (value: number) => void;
  min?: number;
  max?: number;
  step?: number;
  disabled?: boolean;
  hint?: ReactNode;
  /** Said instead of `Minimum is 2` and `Maximum is 10` where that limit holds. */
  minText?: ReactNode;
  maxText?: ReactNode;
};

/** `− 4 +`: a small whole number, by tap, by arrow keys or typed. It says when a limit holds. */
export function Stepper(props: StepperProps) {
  const { label, value, onChange, step = 1, disabled, hint } = props;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const id = useId();
  const change = (wanted: number) => {
    const within = Math.min(max, Math.max(min, wanted));
    if (within !== value) onChange(within);
  };
  const finish = () => {
    if (typed !== null && typed !== "" && Number.isFinite(Number(typed))) {
      change(Math.round(Number(typed)));
    }
    setTyped(null);
  };
  const { minimum, maximum, less, more } = words.shell.stepper;
  const limit =
    value <= min
      ? (props.minText ?? minimum(number(min)))
      : value >= max && (props.maxText ?? maximum(number(max)));
  return (
    <div className={styles.stepper}>
      <label htmlFor={id}>{label}</label>
      <div className={styles.row}>
        <Button
          icon
          aria-label={less(label)}
          aria-disabled={value <= min}
          disabled={disabled}
          onClick={() => change(value - step)}
        >
          <Minus size={18} aria-hidden />
        </Button>
        <input
          id={id}
          className={`input number ${styles.value}`}
          type="number"
          inputMode="numeric"
          min={props.min}
          max={props.max}
          step={step}
          disabled={disabled}
          value={typed ?? value}
          aria-describedby={`${id}-told`}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={finish}
          onKeyDown={(event) => {
            if (event.key === "Enter") finish();
            if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
            event.preventDefault();
            setTyped(null);
            change(value + (event.key === "ArrowUp" ? step : -step));
          }}
        />
        <Button
          icon
          aria-label={more(label)}
          aria-disabled={value >= max}
          disabled={disabled}
          onClick={() => change(value + step)}
        >
          <Plus size={18} aria-hidden />
        </Button>
      </div>
      <small id={`${id}-told`} className="muted" role="status">
        {limit || hint}
      </small>
    </div>
  );
}
