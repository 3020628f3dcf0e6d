import { Play } from "lucide-react";
import { type FormEvent, type Ref, useId } from "react";
import { useMatches } from "../../api/capture";
import { useKeptOnDevice } from "../../lib/kept";
import { titleOf, today } from "../../lib/matchName";
import { namesOf, type Readiness } from "../../lib/readiness";
import { words } from "../../messages";
import { Button, Check, Details, Field, Note } from "../../ui/basics";
import { type Draft, nextPartOf, suggestionsOf, type useDraft, useNewestNamed } from "./draft";
import styles from "./matchday.module.css";
import type { Starter } from "./useStart";

export function StartForm({
  ready,
  readiness,
  starter,
  details,
  button,
}: {
  /** Whether the server has told anything yet. */
  ready: boolean;
  readiness: Readiness;
  starter: Starter;
  details: ReturnType<typeof useDraft>;
  button: Ref<HTMLButtonElement>;
}) {
  const { start: texts } = words.matchday;
  const [process, setProcess] = useKeptOnDevice("touchline-make-panorama", false);
  const { draft } = details;
  const { there, missing } = readiness;
  const off = !ready || starter.pending;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    starter.start({ draft, process, requireAll: null });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Button ref={button} type="submit" tone="danger" size="huge" disabled={off}>
        <Play aria-hidden /> {starter.pending ? texts.starting : texts.button}
      </Button>
      {there.length > 0 && missing.length > 0 && (
        <Button
          size="huge"
          disabled={off}
          onClick={() => starter.start({ draft, process, requireAll: false })}
        >
          {texts.only(namesOf(there))}
        </Button>
      )}
      <Refusal starter={starter} />
      <MatchDetails {...details} />
      <Check
        label={texts.panorama}
        checked={process}
        onChange={(event) => setProcess(event.target.checked)}
      />
    </form>
  );
}

/** Why the last start was none, and one more try. */
function Refusal({ starter: { failure, again, pending } }: { starter: Starter }) {
  const { start } = words.matchday;
  if (!failure) return null;
  return (
    <Note tone="bad" alert title={failure.title}>
      <p>{failure.reason ?? start.nothingRecorded}</p>
      <Details lines={failure.details} />
      <Button disabled={pending} onClick={again}>
        {start.again}
      </Button>
    </Note>
  );
}

/** Folded, since nobody has to fill it in; what is filled in stands beside its title. */
function MatchDetails({ draft, set, clear }: ReturnType<typeof useDraft>) {
  const { start } = words.matchday;
  const matches = useMatches();
  const { teams, competitions, venues } = suggestionsOf(matches.data);
  const continued = draft.continues;
  const title =
    continued === null ? nameOf(draft) : titleOf(continued, matches.data?.[continued]?.details);
  return (
    <details className={styles.fold}>
      <summary>
        {start.details}
        {title && (
          <span className="muted"> · {continued === null ? title : start.continues(title)}</span>
        )}
      </summary>
      <div className="fields">
        <Suggested
          label={start.home}
          value={draft.home}
          choices={teams}
          onChange={(home) => set({ home })}
        />
        <Suggested
          label={start.away}
          value={draft.away}
          choices={teams}
          onChange={(away) => set({ away })}
        />
        <Suggested
          label={start.competition}
          value={draft.competition}
          choices={competitions}
          onChange={(competition) => set({ competition })}
        />
        <Suggested
          label={start.venue}
          value={draft.venue}
          choices={venues}
          onChange={(venue) => set({ venue })}
        />
        <Field
          label={start.date}
          type="date"
          value={draft.date ?? today()}
          onChange={(event) => set({ date: event.target.value || null })}
        />
      </div>
      {title ? (
        <Button onClick={clear}>{start.separate}</Button>
      ) : (
        <SameAgain onChosen={(again) => set({ ...again, date: null, continues: null })} />
      )}
    </details>
  );
}

function nameOf({ home, away, competition }: Draft): string {
  const { name } = words.matchday;
  return home || away ? `${home || name.home} – ${away || name.away}` : competition;
}

/** The teams of the newest match, with one tap. */
function SameAgain({ onChosen }: { onChosen: (draft: Draft) => void }) {
  const newest = useNewestNamed();
  if (!newest) return null;
  return (
    <Button onClick={() => onChosen(nextPartOf(newest.id, newest.entry))}>
      {words.matchday.start.sameAs(titleOf(newest.id, newest.entry.details))}
    </Button>
  );
}

function Suggested({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: string;
  choices: string[];
  onChange: (value: string) => void;
}) {
  const id = useId();
  return (
    <>
      <Field
        label={label}
        list={id}
        autoComplete="off"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <datalist id={id}>
        {choices.map((choice) => (
          <option key={choice} value={choice} />
        ))}
      </datalist>
    </>
  );
}
