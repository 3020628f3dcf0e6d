import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState } from "react";
import type { Details } from "../../lib/matchName";
import { words } from "../../messages";
import { Button, ErrorNote, Field, Note } from "../../ui/basics";
import { Dialog, DialogActions, useAction } from "../../ui/feedback";
import { type FieldName, saveDetails, WrongFields } from "./details";
import styles from "./Match.module.css";

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
      {failure && <Failure error={failure} />}
      <div className="fields">
        <Field {...field("home")} />
        <Field {...field("away")} />
        <Field {...field("competition")} />
        <Field {...field("venue")} />
        <DateField {...field("date")} />
        <NoteField {...field("note")} />
      </div>
      <DialogActions>
        <Button onClick={props.onClose}>{words.shell.cancel}</Button>
        <Button tone="primary" type="submit" disabled={saving}>
          {saving ? edit.saving : edit.save}
        </Button>
      </DialogActions>
    </form>
  );
}

/** What is typed, how it is saved, and what was wrong with it. */
function useDetailsForm({ matchId, details, onClose }: FormProps) {
  const { edit } = words.library;
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const [typed, setTyped] = useState(details);
  const [failure, setFailure] = useState<Error | null>(null);
  const save = useAction(
    async () => {
      setFailure(null);
      if (isHalfTyped(form.current)) throw new WrongFields({ date: edit.badDate });
      await saveDetails(matchId, typed);
      await queries.invalidateQueries({ queryKey: ["matches"] });
      onClose();
    },
    { failed: setFailure },
  );
  useEffect(() => {
    if (failure) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failure]);
  const field = (name: FieldName): FieldProps => ({
    label: edit[name],
    error: failure instanceof WrongFields ? failure.faults[name] : undefined,
    value: typed[name] ?? "",
    onChange: ({ target }) => setTyped((before) => ({ ...before, [name]: target.value })),
  });
  return { form, field, failure, saving: save.isPending, save: () => save.mutate(undefined) };
}

/** What is wrong with fields stands at them; anything else stands here. */
function Failure({ error }: { error: Error }) {
  return error instanceof WrongFields ? (
    <Note tone="bad" title={words.library.edit.notSaved} />
  ) : (
    <ErrorNote error={error} />
  );
}

/** Whether a date is there that is not complete, which a browser gives out as an empty one. */
function isHalfTyped(form: HTMLFormElement | null): boolean {
  const date = form?.querySelector<HTMLInputElement>("input[type=date]");
  return date?.validity.badInput === true;
}

type FieldProps = {
  label: string;
  error: string | undefined;
  value: string;
  onChange: (event: { target: { value: string } }) => void;
};

/** A day; the time of a date that has one is kept as long as the day is. */
function DateField({ value, onChange, ...props }: FieldProps) {
  const [first] = useState(value);
  const day = (date: string) => date.replace(/[Tt ].*$/, "");
  return (
    <Field
      {...props}
      type="date"
      max="9999-12-31"
      value={day(value)}
      onChange={({ target }) =>
        onChange({ target: { value: target.value === day(first) ? first : target.value } })
      }
    />
  );
}

function NoteField({ label, error, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className={`field ${styles.wide}`}>
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        rows={3}
        className={`input ${styles.area}`}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
        {...input}
      />
      {error && (
        <small id={`${id}-error`} className="field-error" role="alert">
          {error}
        </small>
      )}
    </div>
  );
}
