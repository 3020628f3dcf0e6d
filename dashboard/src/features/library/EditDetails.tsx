import { useQueryClient } from "@tanstack/react-query";
import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { words } from "../../messages";
import { Button, Note } from "../../ui/basics";
import { Dialog, useAction } from "../../ui/feedback";
import { type Faults, FIELDS, type FieldName, NotSaved, saveDetails } from "./details";
import styles from "./Match.module.css";
import type { Details } from "./names";

/** Asks for teams, competition, venue, date and a note of a match. */
export function EditDetails({
  matchId,
  details,
  open,
  onClose,
}: {
  matchId: string;
  details: Details;
  open: boolean;
  onClose: () => void;
}) {
  return (
    <Dialog title={words.library.edit.title} open={open} onClose={onClose}>
      <Form matchId={matchId} details={details} onClose={onClose} />
    </Dialog>
  );
}

type FormProps = { matchId: string; details: Details; onClose: () => void };

/** The form as it is typed; what the server refuses is said at its field, and nothing is lost. */
function Form(props: FormProps) {
  const { edit } = words.library;
  const { form, field, failure, saving, save } = useDetailsForm(props);
  return (
    <form
      ref={form}
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      {failure && (
        <Note tone="bad" alert title={edit.notSaved}>
          {hasFaults(failure.faults) ? null : failure.message}
        </Note>
      )}
      <div className="fields">
        <Text {...field("home")} />
        <Text {...field("away")} />
        <Text {...field("competition")} />
        <Text {...field("venue")} />
        <DateField {...field("date")} />
        <NoteField {...field("note")} />
      </div>
      <div className="dialog-actions">
        <Button onClick={props.onClose}>{edit.cancel}</Button>
        <Button tone="primary" type="submit" disabled={saving}>
          {saving ? edit.saving : edit.save}
        </Button>
      </div>
    </form>
  );
}

/** What is typed, how it is saved, and what was wrong with it. */
function useDetailsForm({ matchId, details, onClose }: FormProps) {
  const { edit } = words.library;
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const [typed, setTyped] = useState(details);
  const [failure, setFailure] = useState<NotSaved | null>(null);
  const save = useAction(
    async () => {
      setFailure(null);
      if (isHalfTyped(form.current)) throw new NotSaved(edit.notSaved, { date: edit.badDate });
      await saveDetails(matchId, typed);
      await queries.invalidateQueries({ queryKey: ["matches"] });
      onClose();
    },
    {
      failed: (error) =>
        setFailure(error instanceof NotSaved ? error : new NotSaved(error.message, {})),
    },
  );
  useEffect(() => {
    if (failure) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failure]);
  const field = (name: FieldName): FieldProps => ({
    label: edit[name],
    fault: failure?.faults[name],
    value: typed[name] ?? "",
    onChange: ({ target }) => setTyped((before) => ({ ...before, [name]: target.value })),
  });
  return { form, field, failure, saving: save.isPending, save: () => save.mutate(undefined) };
}

const hasFaults = (faults: Faults) => FIELDS.some((name) => faults[name]);

/** Whether a date is there that is not complete, which a browser gives out as an empty one. */
function isHalfTyped(form: HTMLFormElement | null): boolean {
  const date = form?.querySelector<HTMLInputElement>("input[type=date]");
  return date?.validity.badInput === true;
}

type FieldProps = {
  label: string;
  fault: string | undefined;
  value: string;
  onChange: (event: { target: { value: string } }) => void;
};

function Text(props: FieldProps) {
  return <Labelled {...props}>{(input) => <input {...input} />}</Labelled>;
}

/** A day; the time of a date that has one is kept as long as the day is. */
function DateField({ value, onChange, ...props }: FieldProps) {
  const [first] = useState(value);
  const day = (date: string) => date.replace(/[Tt ].*$/, "");
  return (
    <Labelled
      {...props}
      value={day(value)}
      onChange={({ target }) =>
        onChange({ target: { value: target.value === day(first) ? first : target.value } })
      }
    >
      {(input) => <input type="date" max="9999-12-31" {...input} />}
    </Labelled>
  );
}

function NoteField(props: FieldProps) {
  return (
    <Labelled {...props} wide>
      {({ className, ...input }) => (
        <textarea rows={3} className={`${className} ${styles.area}`} {...input} />
      )}
    </Labelled>
  );
}

type InputProps = Pick<
  ComponentProps<"input">,
  "id" | "className" | "aria-invalid" | "aria-describedby"
> & { value: string; onChange: FieldProps["onChange"] };

/** A field with its name, and what was wrong with it. */
function Labelled({
  label,
  fault,
  value,
  onChange,
  wide,
  children,
}: FieldProps & { wide?: boolean; children: (input: InputProps) => ReactNode }) {
  const id = useId();
  const told = `${id}-fault`;
  return (
    <div className={`field ${wide ? styles.wide : ""}`}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        className: `input ${styles.input}`,
        value,
        onChange,
        "aria-invalid": fault ? true : undefined,
        "aria-describedby": fault ? told : undefined,
      })}
      {fault && (
        <small id={told} className={styles.fault}>
          {fault}
        </small>
      )}
    </div>
  );
}
