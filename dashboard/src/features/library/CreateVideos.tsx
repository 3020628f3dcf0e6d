import { useEffect, useId, useRef, useState } from "react";
import { useCameraName, useMarkers } from "../../api/capture";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Button, Card, Choice, ErrorNote } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { camerasOf, type Part } from "./Footage";
import { isActive, Job } from "./Job";
import { keepInView } from "./keepInView";
import styles from "./Match.module.css";
import { AFTER_S, BEFORE_S, chosenIn, makeWith, PRESETS, type Preset, stepsOf } from "./presets";
import { useStorage } from "./useStorage";

/** What can be made of a match, and the jobs that make it. `?make=highlights` chooses. */
export function CreateVideos(part: Part) {
  const { create } = words.library;
  const { place, chosen, flip } = useChosen();
  const { hints, refused } = useHints(part);
  const wanted = new Set([...chosen].filter((preset) => !refused.has(preset)));
  const pictures = usePictures(part.entry);
  const [camera, setCamera] = useState<string | null>(null);
  const picture = camera ?? pictures[0]?.[0] ?? "cam0";
  const start = useStart(part, wanted, picture);
  return (
    <div ref={place}>
      <Card title={create.title}>
        <fieldset className={styles.presets}>
          <legend className="sr-only">{create.which}</legend>
          {PRESETS.map((preset) => (
            <PresetCheck
              key={preset}
              preset={preset}
              hint={hints[preset]}
              checked={wanted.has(preset)}
              disabled={refused.has(preset)}
              onChange={() => flip(wanted, preset)}
            />
          ))}
        </fieldset>
        {wanted.has("highlights") && pictures.length > 1 && (
          <Choice
            label={create.picture}
            value={picture}
            onChange={(event) => setCamera(event.target.value)}
            options={pictures}
          />
        )}
        <div>
          <Button
            tone="primary"
            disabled={part.running || wanted.size === 0 || start.isPending}
            onClick={() => start.mutate(undefined)}
          >
            {create.button}
          </Button>
        </div>
        <ErrorNote error={start.error} />
        {part.running && <p className="muted small">{create.afterMatch}</p>}
        <Jobs matchId={part.matchId} />
      </Card>
    </div>
  );
}

/** What is chosen, in the page's address; a link that chooses brings the place into view. */
function useChosen() {
  const [make, setMake] = useHashState("make");
  const place = useRef<HTMLDivElement>(null);
  const flipped = useRef(false);
  useEffect(() => {
    if (make === null || flipped.current) {
      flipped.current = false;
      return;
    }
    return place.current ? keepInView(place.current) : undefined;
  }, [make]);
  const flip = (wanted: ReadonlySet<Preset>, preset: Preset) => {
    flipped.current = true;
    setMake(makeWith(wanted, preset));
  };
  return { place, chosen: chosenIn(make), flip };
}

/** Queues the jobs of what is wanted. */
function useStart({ matchId, entry }: Part, wanted: ReadonlySet<Preset>, camera: string) {
  const hasPanorama = entry.files.some(({ file }) => file === "panorama_archive.mp4");
  return useAction(
    () =>
      ask(
        api.POST("/api/v1/recordings/{match_id}/process", {
          params: { path: { match_id: matchId } },
          body: {
            steps: stepsOf(wanted, hasPanorama),
            reel: { camera, before_s: BEFORE_S, after_s: AFTER_S, kinds: [] },
          },
        }),
      ),
    { failed: () => undefined }, // it stands below the button
  );
}

/** From what highlights can be cut, each by its name. */
function usePictures(entry: Part["entry"]): (readonly [string, string])[] {
  const { files } = words.library;
  const cameraName = useCameraName();
  const made = [
    ["panorama", files.panorama],
    ["follow", files.follow],
  ] as const;
  return [
    ...camerasOf(entry).map((camera) => [camera, cameraName(camera)] as const),
    ...made.filter(([id]) => entry.files.some(({ file }) => file === `${id}_archive.mp4`)),
  ];
}

/** What is said below each preset, and which of them cannot be had as things are. */
function useHints({ matchId, entry }: Part) {
  const { hints, moments, noMoments, noStorage, twoCameras } = words.library.create;
  const marked = useMarkers(matchId).data?.length;
  const { configured } = useStorage(matchId);
  const stitched = camerasOf(entry).length > 1;
  const refused = new Set<Preset>();
  if (!marked) refused.add("highlights");
  if (configured !== true) refused.add("upload");
  if (!stitched) refused.add("panorama").add("follow");
  const told: Record<Preset, string> = {
    full: hints.full,
    highlights: marked ? moments(marked) : noMoments,
    follow: stitched ? hints.follow : twoCameras,
    panorama: stitched ? hints.panorama : twoCameras,
    upload: configured === false ? noStorage : hints.upload,
  };
  return { hints: told, refused };
}

function PresetCheck({
  preset,
  hint,
  ...input
}: {
  preset: Preset;
  hint: string;
  checked: boolean;
  disabled: boolean;
  onChange: () => void;
}) {
  const id = useId();
  return (
    <div className={styles.preset}>
      <label className="check">
        <input type="checkbox" aria-describedby={id} {...input} />
        <span>{words.library.create.presets[preset]}</span>
      </label>
      <small id={id}>{hint}</small>
    </div>
  );
}

function Jobs({ matchId }: { matchId: string }) {
  const { create } = words.library;
  const jobs = (useChannel("jobs")?.jobs ?? []).filter((job) => job.match_id === matchId).reverse();
  const active = jobs.filter(isActive).length;
  return (
    <>
      <p role="status" className={active > 0 ? "muted small" : "sr-only"}>
        {active > 0 && create.active(active)}
      </p>
      {jobs.length > 0 && (
        <ul className="stack" aria-label={create.jobs}>
          {jobs.map((job) => (
            <li key={job.job_id}>
              <Job job={job} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
