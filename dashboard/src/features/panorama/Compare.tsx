import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, askDone } from "../../api/http";
import { useChannel } from "../../api/live";
import { qualityInWords } from "../../lib/quality";
import { words } from "../../messages";
import { Badge, Button, ErrorNote, Loading } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { LiveVideo } from "../../video/LiveVideo";
import styles from "./Panorama.module.css";
import { QualityBadge, QualityFacts } from "./Quality";

/** The calibration before and the new one, beside each other; one of them is used from now on. */
export function Compare({
  before,
  after,
  onClose,
  onAgain,
}: {
  before: number | null;
  after: number;
  onClose: () => void;
  onAgain: () => void;
}) {
  const active = useChannel("panorama_status")?.calibration.version ?? null;
  const [shown, setShown] = useState<number | null>(null);
  const queries = useQueryClient();
  const text = words.panorama.compare;
  const activate = async (version: number) => {
    // What is shown is made with the calibration of its start. Refused where nothing is shown.
    await api.POST("/api/v1/panorama/preview/stop");
    const params = { path: { version } };
    await askDone(api.POST("/api/v1/panorama/calibrations/{version}/activate", { params }));
    await queries.invalidateQueries({ queryKey: ["calibrations"] });
  };
  const show = useAction(async (version: number) => {
    setShown(null);
    await activate(version);
    setShown(version);
  });
  const used = useAction(
    async (version: number) => {
      setShown(null);
      await activate(version);
      onClose();
    },
    { done: (_, version) => text.used(version) },
  );
  const isBusy = show.isPending || used.isPending;
  return (
    <>
      <p>{before === null ? text.only : text.question}</p>
      <div className="columns">
        {before !== null && (
          <Side version={before} title={text.before(before)} isActive={active === before} />
        )}
        <Side version={after} title={text.after(after)} isActive={active === after} />
      </div>
      <div className="row">
        {before !== null && (
          <Button
            aria-pressed={shown === before}
            disabled={isBusy}
            onClick={() => show.mutate(before)}
          >
            {text.showBefore}
          </Button>
        )}
        <Button aria-pressed={shown === after} disabled={isBusy} onClick={() => show.mutate(after)}>
          {text.showAfter}
        </Button>
        {shown !== null && <Button onClick={() => setShown(null)}>{text.hide}</Button>}
      </div>
      {shown !== null && (
        <LiveVideo
          key={shown}
          stream="panorama"
          label={shown === before ? text.before(shown) : text.after(shown)}
          wide
        />
      )}
      <div className="row">
        <Button tone="primary" disabled={isBusy} onClick={() => used.mutate(after)}>
          {text.use}
        </Button>
        {before !== null && (
          <Button disabled={isBusy} onClick={() => used.mutate(before)}>
            {text.keep}
          </Button>
        )}
        <Button tone="quiet" disabled={isBusy} onClick={onAgain}>
          {text.again}
        </Button>
      </div>
    </>
  );
}

/** One calibration in words and figures. */
function Side({ version, title, isActive }: { version: number; title: string; isActive: boolean }) {
  const details = useQuery({
    queryKey: ["calibrations", version],
    queryFn: () =>
      ask(api.GET("/api/v1/panorama/calibrations/{version}", { params: { path: { version } } })),
  });
  if (!details.data) return details.error ? <ErrorNote error={details.error} /> : <Loading />;
  const { quality } = details.data;
  return (
    <section className={styles.side} aria-label={title}>
      <div className="row">
        <h3>{title}</h3>
        <QualityBadge score={quality.score} />
        {isActive && <Badge tone="info">{words.panorama.compare.inUse}</Badge>}
      </div>
      <QualityFacts details={details.data} />
      <p>{qualityInWords({ ...quality, quality_score: quality.score }).advice}</p>
    </section>
  );
}
