import { useQuery } from "@tanstack/react-query";
import { matchPath, namedPath, useCameraName } from "../../api/capture";
import { api, ask } from "../../api/http";
import { fileName } from "../../lib/fileName";
import { mebibytes } from "../../lib/format";
import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Badge, Button, Card, ErrorNote } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { DownloadButton } from "../../ui/DownloadButton";
import type { Part } from "./Footage";
import { filesOf, type NamedFile, partsOf } from "./names";
import { useStorage } from "./useStorage";

/** What of a match can be downloaded, by what it shows. */
export function Files({ matchId, entry, title }: Part) {
  const { files } = words.library;
  const cameraName = useCameraName();
  const [shown, setShown] = useHashState("parts");
  const { uploaded } = useStorage(matchId);
  const { videos, others } = filesOf(title, entry, cameraName);
  const open = shown === "shown";
  return (
    <Card
      title={files.title}
      tools={
        <DownloadButton url={matchPath(matchId, "download")} name={fileName(`${title}.zip`)}>
          {files.everything(mebibytes(entry.total_size_mb))}
        </DownloadButton>
      }
    >
      {videos.length === 0 && <p className="muted">{files.none}</p>}
      {videos.length > 0 && <FileList matchId={matchId} files={videos} uploaded={uploaded} />}
      <div>
        <Button size="small" aria-expanded={open} onClick={() => setShown(open ? null : "shown")}>
          {open ? files.hide : files.show}
        </Button>
      </div>
      {open && <Parts matchId={matchId} title={title} cameraName={cameraName} />}
      {open && others.length > 0 && (
        <>
          <h3>{files.others}</h3>
          <FileList matchId={matchId} files={others} uploaded={uploaded} />
        </>
      )}
    </Card>
  );
}

/** The segments, as they were recorded. */
function Parts({
  matchId,
  title,
  cameraName,
}: {
  matchId: string;
  title: string;
  cameraName: (camera: string) => string;
}) {
  const segments = useQuery({
    queryKey: ["segments", matchId],
    staleTime: 0,
    queryFn: () =>
      ask(
        api.GET("/api/v1/recordings/{match_id}/segments", {
          params: { path: { match_id: matchId } },
        }),
      ),
  });
  const parts = segments.data ? partsOf(title, segments.data, cameraName) : [];
  return (
    <>
      <h3>{words.library.files.parts}</h3>
      <ErrorNote error={segments.error} />
      <FileList matchId={matchId} folder="segments" files={parts} />
    </>
  );
}

function FileList({
  matchId,
  folder = "files",
  files,
  uploaded,
}: {
  matchId: string;
  folder?: "files" | "segments";
  files: NamedFile[];
  uploaded?: ReadonlySet<string>;
}) {
  const text = words.library.files;
  return (
    <ul className="stack">
      {files.map(({ file, label, name, sizeMb }) => {
        const path = matchPath(matchId, folder, file);
        const size = mebibytes(sizeMb);
        return (
          <li key={file} className="row between">
            <span className="row">
              <span title={name}>{label}</span>
              {uploaded?.has(file) && <Badge tone="good">{text.uploaded}</Badge>}
            </span>
            <span className="row">
              <CopyLink path={namedPath(path, name)} label={label} icon />
              <DownloadButton url={path} name={name} label={text.download(label, size)}>
                {size}
              </DownloadButton>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
