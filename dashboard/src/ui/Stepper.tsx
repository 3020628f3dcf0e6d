import { type LucideIcon, Minus, Plus } from "lucide-react";
import { type ComponentProps, type KeyboardEvent, type ReactNode, useId, useState } from "react";
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
  const id = useId();
  const change = (wanted: number) => {
    const within = Math.min(max, Math.max(min, wanted));
    if (within !== value) onChange(within);
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
        <StepButton
          name={less(label)}
          Icon={Minus}
          atLimit={value <= min}
          disabled={disabled}
          onClick={() => change(value - step)}
        />
        <TypedNumber
          id={id}
          value={value}
          min={props.min}
          max={props.max}
          step={step}
          disabled={disabled}
          change={change}
          aria-describedby={`${id}-told`}
        />
        <StepButton
          name={more(label)}
          Icon={Plus}
          atLimit={value >= max}
          disabled={disabled}
          onClick={() => change(value + step)}
        />
      </div>
      <small id={`${id}-told`} className="muted" role="status">
        {limit || hint}
      </small>
    </div>
  );
}

/** It can be pressed at its limit, so that it keeps the focus, and does nothing there. */
function StepButton({
  name,
  Icon,
  atLimit,
  ...rest
}: {
  name: string;
  Icon: LucideIcon;
  atLimit: boolean;
  disabled?: boolean;
  onClick: () => void;
}) {
  return (
    <Button icon aria-label={name} aria-disabled={atLimit} {...rest}>
      <Icon size={18} aria-hidden />
    </Button>
  );
}

/** The number itself: what is typed holds from Enter, or from leaving it, on. */
function TypedNumber({
  value,
  step,
  change,
  ...rest
}: {
  value: number;
  step: number;
  change: (wanted: number) => void;
} & Omit<ComponentProps<"input">, "value" | "step" | "onChange">) {
  const [typed, setTyped] = useState<string | null>(null);
  const finish = () => {
    const wanted = Number(typed ?? "");
    if (typed && Number.isFinite(wanted)) change(Math.round(wanted));
    setTyped(null);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter") finish();
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    setTyped(null);
    change(value + (event.key === "ArrowUp" ? step : -step));
  };
  return (
    <input
      className={`input number ${styles.value}`}
      type="number"
      inputMode="numeric"
      step={step}
      value={typed ?? value}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={finish}
      onKeyDown={press}
      {...rest}
    />
  );
}
