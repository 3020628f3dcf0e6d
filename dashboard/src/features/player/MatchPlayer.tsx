import { useRef } from "react";
import { type MatchEntry, useCameraName } from "../../api/capture";
import { useChannel } from "../../api/live";
import { words } from "../../messages";
import { Card, Loading, Note } from "../../ui/basics";
import { Segmented } from "../../ui/Segmented";
import { ClipTools } from "./ClipTools";
import { KeysHelp } from "./KeysHelp";
import { MarkerList } from "./MarkerList";
import { Failures, Pictures } from "./Pictures";
import styles from "./Player.module.css";
import { Scrubber } from "./Scrubber";
import { type Source, sourcesOf } from "./sources";
import { ToolPanel } from "./ToolPanel";
import { Extras, Rate, Transport } from "./Transport";
import { markerLabel } from "./useMarking";
import { type Player, usePlayer } from "./usePlayer";
import { useThumbnails } from "./useThumbnails";

type Props = { matchId: string; title: string; entry: MatchEntry; running: boolean };

/** Plays a match by its own clock: all pictures that are shown show the same instant. */
export function MatchPlayer(props: Props) {
  const sources = sourcesOf(props.entry, useCameraName());
  // A link may name a camera: until names are known, another picture would be loaded.
  if (!useChannel("cameras")) return <Loading />;
  if (sources.length === 0) return <Note title={words.player.noFootage} />;
  return (
    <Card title={words.player.title}>
      <Playing key={props.matchId} {...props} sources={sources} />
    </Card>
  );
}

function Playing({ entry, running, ...match }: Props & { sources: Source[] }) {
  const container = useRef<HTMLDivElement>(null);
  const player = usePlayer({ ...match, duration: entry.duration_s ?? 0 }, container);
  const { view, playback, full, tools, help, idle } = player;
  return (
    <div
      ref={container}
      className={styles.player}
      data-full={full.on || undefined}
      data-sheet={tools.open || undefined}
      data-idle={idle.on || undefined}
    >
      <div className={styles.front}>
        <Failures shown={view.shown} failures={playback.failures} />
        <Pictures
          shown={view.shown}
          attach={playback.attach}
          onPress={() => {
            // A tap that brings the controls back does nothing else.
            if (!idle.ended.current) playback.toggle();
          }}
          onFull={full.toggle}
        />
        <div role="status" className={styles.told}>
          {player.told && <span>{player.told}</span>}
        </div>
        <Controls player={player} running={running} />
      </div>
      <ToolPanel tools={tools}>
        <Tools player={player} entry={entry} running={running} />
      </ToolPanel>
      <KeysHelp {...help} container={container} />
    </div>
  );
}

type Part = { player: Player; running: boolean };

/** What is under the picture, or over its lower edge on a full screen. */
function Controls({ player, running }: Part) {
  const { view, playback, at, marking, clip, full, tools, help, subject, mark } = player;
  const { sheet, thumbnails } = useThumbnails(
    subject.matchId,
    !running,
    view.shown,
    subject.sources,
  );
  return (
    <div className={styles.controls}>
      <div className={styles.bar}>
        {view.chosen && view.views.length > 1 && (
          <Segmented
            label={words.player.view}
            hideLabel
            options={view.views.map(({ key, name }) => [key, name] as const)}
            value={view.chosen.key}
            onChange={(key) => view.choose(key)}
          />
        )}
        <Rate rate={playback.rate} onChange={playback.changeRate} />
      </div>
      <Scrubber
        at={at}
        lasts={playback.lasts}
        onSeek={playback.seek}
        markers={marking.markers.map((marker) => ({
          id: marker.marker_id,
          at: marker.at,
          title: [markerLabel(marker), marker.text].filter(Boolean).join(": "),
        }))}
        range={clip.range}
        sheet={sheet}
        thumbnails={thumbnails}
      />
      <div className={styles.bar}>
        <Transport playback={playback} />
        <Extras onMark={mark} onKeys={help.show} full={full} tools={tools} />
      </div>
    </div>
  );
}

/** Clip and markers, beside or under the picture. */
function Tools({ player, entry, running }: Part & { entry: MatchEntry }) {
  const { subject, at, clip, marking, playback } = player;
  return (
    <>
      <ClipTools
        subject={subject}
        at={at}
        range={clip.range}
        setRange={clip.setRange}
        onStart={clip.start}
        onEnd={clip.end}
      />
      <MarkerList
        subject={subject}
        entry={entry}
        running={running}
        marking={marking}
        at={at}
        lasts={playback.lasts}
        onSeek={playback.seek}
      />
    </>
  );
}
