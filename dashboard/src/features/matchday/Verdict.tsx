import { Link } from "wouter";
import { api, ask, ServerError } from "../../api/http";
import { type LastStop, verdictOf } from "../../lib/losses";
import { words } from "../../messages";
import { Button, Details, Note } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import styles from "./matchday.module.css";

/** What became of the last recording; on every device, until it is dismissed on one of them. */
export function Verdict({ stop, onSecondHalf }: { stop: LastStop; onSecondHalf: () => void }) {
  const texts = words.matchday.verdict;
  const { tone, title, lines, details } = verdictOf(stop);
  const dismiss = useAction(() => dismissed(stop.id));
  const match = `/matches/${encodeURIComponent(stop.match_id)}`;
  return (
    <section aria-label={texts.label} aria-live="polite">
      <Note tone={tone} alert={tone === "bad"} title={title}>
        <ul>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        <Details lines={details} />
        <div className={styles.actions}>
          <Link href={match} className="button primary">
            {texts.watch}
          </Link>
          <Link href={`${match}?make=highlights`} className="button">
            {texts.highlights}
          </Link>
          <Button onClick={onSecondHalf}>{stop.success ? texts.secondHalf : texts.rest}</Button>
          <Button
            tone="quiet"
            disabled={dismiss.isPending}
            onClick={() => dismiss.mutate(undefined)}
          >
            {texts.dismiss}
          </Button>
        </div>
      </Note>
    </section>
  );
}

/** Dismisses the verdict that is shown; one that somebody else has dismissed is gone as well. */
async function dismissed(id: string) {
  try {
    await ask(api.DELETE("/api/v1/recording/last-stop", { params: { query: { id } } }));
  } catch (error) {
    if (!(error instanceof ServerError && error.status === 404)) throw error;
  }
}
