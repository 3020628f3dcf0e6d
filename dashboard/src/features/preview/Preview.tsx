import { Link } from "wouter";
import { useChannel } from "../../api/live";
import { useHashState } from "../../lib/hashLocation";
import { overlapOf } from "../../lib/quality";
import { words } from "../../messages";
import { Button, Loading, Note } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";
import pictures from "../../video/Video.module.css";
import { AIDS, type Aid, Picture } from "./Picture";
import styles from "./Preview.module.css";

type Camera = { id: number; name: string };

/** Live pictures for framing: which, and with which aids, is in the address. */
export default function Preview() {
  const cameras = useChannel("cameras")?.cameras;
  const told = useChannel("panorama_status");
  const [wanted, setWanted] = useHashState("show");
  const [aidList, setAidList] = useHashState("aids");
  const aids = AIDS.filter((aid) => aidList?.split(",").includes(aid));
  const shows = shown(wanted, cameras ?? []);
  const overlap = overlapOf(told?.panorama.calibration_info);
  const toggle = (aid: Aid) => {
    const now = AIDS.filter((each) => (each === aid) !== aids.includes(each));
    setAidList(now.join(",") || null);
  };
  const text = words.preview;
  return (
    <div className={`page ${styles.preview}`}>
      <div className="page-head">
        <h1>{text.title}</h1>
        <PictureChoice cameras={cameras ?? []} shows={shows} onChoose={setWanted} />
      </div>
      {cameras?.length === 0 ? (
        <NoCameras />
      ) : (
        <>
          <AidChoice
            aids={aids}
            known={shows === "panorama" ? ["grid", "level"] : AIDS}
            overlap={overlap}
            onToggle={toggle}
          />
          {shows === "panorama" ? (
            <Panorama calibrated={told?.calibration.calibrated} aids={aids} />
          ) : cameras === undefined ? (
            <Loading />
          ) : (
            <div className={pictures.grid}>
              {cameras
                .filter(({ id }) => shows === "cameras" || shows === `cam${id}`)
                .map(({ id, name }) => (
                  <div key={id} className={styles.picture}>
                    <Picture
                      stream={`cam${id}`}
                      label={name}
                      aids={aids}
                      overlap={overlap}
                      side={id}
                    />
                  </div>
                ))}
            </div>
          )}
        </>
      )}
    </div>
  );
}

/** Which pictures the address asks for; all of the cameras where it asks for what is not there. */
function shown(wanted: string | null, cameras: readonly Camera[]): string {
  const known = wanted === "panorama" || cameras.some(({ id }) => wanted === `cam${id}`);
  return wanted !== null && known ? wanted : "cameras";
}

function PictureChoice({
  cameras,
  shows,
  onChoose,
}: {
  cameras: readonly Camera[];
  shows: string;
  onChoose: (shows: string | null) => void;
}) {
  const text = words.preview;
  const each = cameras.map(({ id, name }) => [`cam${id}`, name] as const);
  const choices = [
    ["cameras", text.cameras] as const,
    ...(each.length > 1 ? each : []),
    ["panorama", text.panorama] as const,
  ];
  return (
    <fieldset className="row plain">
      <legend className="sr-only">{text.pictures}</legend>
      {choices.map(([id, name]) => (
        <Button
          key={id}
          aria-pressed={shows === id}
          onClick={() => onChoose(id === "cameras" ? null : id)}
        >
          {name}
        </Button>
      ))}
    </fieldset>
  );
}

function AidChoice({
  aids,
  known,
  overlap,
  onToggle,
}: {
  aids: readonly Aid[];
  known: readonly Aid[];
  overlap: number | null;
  onToggle: (aid: Aid) => void;
}) {
  const text = words.preview;
  return (
    <fieldset className="row plain">
      <legend className="sr-only">{text.aids}</legend>
      <span className="muted" aria-hidden="true">
        {text.aids}
      </span>
      {known.map((aid) => {
        const unknown = aid === "overlap" && overlap === null;
        return (
          <Button
            key={aid}
            size="small"
            aria-pressed={aids.includes(aid)}
            disabled={unknown}
            title={unknown ? text.overlapUnknown : undefined}
            onClick={() => onToggle(aid)}
          >
            {text[aid]}
          </Button>
        );
      })}
    </fieldset>
  );
}

function NoCameras() {
  const text = words.preview;
  return (
    <EmptyState title={text.noCameras} action={<Link href="/system?tab=check">{text.check}</Link>}>
      {text.noCamerasBody}
    </EmptyState>
  );
}

function Panorama({ calibrated, aids }: { calibrated: boolean | undefined; aids: readonly Aid[] }) {
  const text = words.preview;
  if (calibrated === undefined) return <Loading />;
  if (!calibrated) {
    return (
      <Note title={text.notCalibrated}>
        {text.notCalibratedBody} <Link href="/panorama?step=aim">{text.calibrate}</Link>
      </Note>
    );
  }
  return (
    <div className={styles.wide}>
      <Picture stream="panorama" label={text.panorama} wide aids={aids} overlap={null} side={0} />
    </div>
  );
}
