import { lazy, Suspense, useEffect, useRef } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { useChannel } from "../../api/live";
import { decoded } from "../../lib/hashLocation";
import { keepMetrics } from "../../lib/metrics";
import { language, words } from "../../messages";
import { Boundary } from "../../ui/Boundary";
import { Loading } from "../../ui/basics";
import { MatchDay } from "../matchday/MatchDay";
import { ConnectionBanner } from "./ConnectionBanner";
import { Navigation } from "./Navigation";
import { pageAt } from "./pages";
import styles from "./Shell.module.css";

const Preview = lazy(() => import("../preview/Preview"));
const Matches = lazy(() => import("../library/Matches"));
const Match = lazy(() => import("../library/Match"));
const Panorama = lazy(() => import("../panorama/Panorama"));
const Engines = lazy(() => import("../engines/Engines"));
const Stream = lazy(() => import("../engines/Stream"));
const System = lazy(() => import("../system/System"));

/** The frame of all pages: the way between them, the state of the connection, and one of them. */
export function Shell({ keyNeeded, version }: { keyNeeded: boolean; version: string }) {
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(keepMetrics, []);
  useTitle(location);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every page
  useEffect(() => {
    window.scrollTo(0, 0);
    main.current?.scrollTo(0, 0);
    // Who uses a screen reader is to hear that there is another page.
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [location]);

  return (
    <div className={styles.app}>
      <Navigation
        location={location}
        keyNeeded={keyNeeded}
        version={version}
        toContent={() => main.current?.focus()}
      />
      <ConnectionBanner />
      <main ref={main} id="content" className={styles.content} tabIndex={-1}>
        {/* Whatever a page has kept of the texts of before goes with the language. */}
        <Boundary key={language} place={location}>
          <Suspense fallback={<Loading />}>
            <Pages />
          </Suspense>
        </Boundary>
      </main>
    </div>
  );
}

/** The title of the window: the page, and whether a match is recorded. */
function useTitle(location: string) {
  const recording = useChannel("status")?.recording.recording === true;
  const page = words.shell.pages[pageAt(location).name];
  const title = recording ? words.shell.titleRecording(page) : words.shell.title(page);
  useEffect(() => {
    document.title = title;
  }, [title]);
}

function Pages() {
  return (
    <Switch>
      <Route path="/" component={MatchDay} />
      <Route path="/preview" component={Preview} />
      <Route path="/matches" component={Matches} />
      <Route path="/matches/:matchId">
        {({ matchId }) => <Match matchId={decoded(matchId)} />}
      </Route>
      <Route path="/panorama" component={Panorama} />
      <Route path="/engines" component={Engines} />
      <Route path="/engines/streams/:streamId">
        {({ streamId }) => <Stream streamId={decoded(streamId)} />}
      </Route>
      <Route path="/system" component={System} />
      <Redirect to="/" />
    </Switch>
  );
}
