import { useQueryClient } from "@tanstack/react-query";
import {
  Activity,
  Circle,
  Film,
  LogOut,
  MonitorPlay,
  Moon,
  Server,
  Sun,
  SunMoon,
  WandSparkles,
} from "lucide-react";
import { type ComponentType, lazy, Suspense, useEffect, useRef, useState } from "react";
import { Link, Redirect, Route, Router, Switch, useLocation } from "wouter";
import { onSignInNeeded } from "../../api/http";
import { live, useChannel, useConnection } from "../../api/live";
import { SESSION, useSession, useSignOut } from "../../api/session";
import { decoded, useExactHash } from "../../lib/hashLocation";
import { keepMetrics } from "../../lib/metrics";
import { applyTheme, savedTheme, type Theme } from "../../lib/theme";
import { Boundary } from "../../ui/Boundary";
import { Button, ErrorNote, Loading } from "../../ui/basics";
import { MatchDay } from "../matchday/MatchDay";
import { SignIn } from "./SignIn";

const Preview = lazy(() => import("../preview/Preview"));
const Matches = lazy(() => import("../library/Matches"));
const Match = lazy(() => import("../library/Match"));
const Panorama = lazy(() => import("../panorama/Panorama"));
const Engines = lazy(() => import("../engines/Engines"));
const Stream = lazy(() => import("../engines/Stream"));
const System = lazy(() => import("../system/System"));

const PAGES: readonly (readonly [string, string, ComponentType<{ size?: number }>])[] = [
  ["/", "Match day", Circle],
  ["/preview", "Preview", MonitorPlay],
  ["/matches", "Matches", Film],
  ["/panorama", "Panorama", WandSparkles],
  ["/engines", "Engines", Server],
  ["/system", "System", Activity],
];

export function App() {
  const session = useSession();
  const queries = useQueryClient();
  useEffect(
    () => onSignInNeeded(() => void queries.invalidateQueries({ queryKey: SESSION })),
    [queries],
  );
  const state = session.data;
  // The socket wants the key wherever one is set.
  const mayListen = state?.signed_in === true;
  useEffect(() => {
    if (state === undefined) return;
    if (mayListen) live.start();
    else live.refuse();
  }, [state, mayListen]);
  useEffect(() => {
    // A phone that was in a pocket, or is back in the network, need not wait for the next try.
    const back = () => {
      if (live.connection === "lost" && document.visibilityState === "visible") live.retryNow();
    };
    window.addEventListener("online", back);
    document.addEventListener("visibilitychange", back);
    return () => {
      window.removeEventListener("online", back);
      document.removeEventListener("visibilitychange", back);
    };
  }, []);

  if (session.isError) {
    return (
      <main>
        <h1 className="sr-only">touchline</h1>
        <ErrorNote error={session.error} />
        <Button onClick={() => session.refetch()}>Try again</Button>
      </main>
    );
  }
  if (state === undefined) return <Loading what="Connecting to the server…" />;
  if (!state.signed_in) return <SignIn />;
  return (
    <Router hook={useExactHash}>
      <Shell keyNeeded={state.key_needed} version={state.version} />
    </Router>
  );
}

function Shell({ keyNeeded, version }: { keyNeeded: boolean; version: string }) {
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const status = useChannel("status");
  useEffect(keepMetrics, []);
  const title =
    PAGES.find(([path]) => path !== "/" && location.startsWith(path))?.[1] ?? "Match day";
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every page, not with its title
  useEffect(() => {
    window.scrollTo(0, 0);
    main.current?.scrollTo(0, 0);
    // Who uses a screen reader is to hear that there is another page.
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [location]);
  const recording = status?.recording.recording === true;
  useEffect(() => {
    document.title = `${recording ? "● " : ""}${title} · touchline`;
  }, [title, recording]);

  return (
    <div className="app">
      <nav className="side" aria-label="Pages">
        <a className="skip" href={`#${location}`} onClick={() => main.current?.focus()}>
          To the content
        </a>
        <div className="brand">
          <img src="/touchline.svg" alt="" width={30} height={30} />
          touchline
        </div>
        {PAGES.map(([path, name, Icon]) => {
          const here = path === "/" ? location === "/" : location.startsWith(path);
          return (
            <Link
              key={path}
              href={path}
              className="nav-link"
              aria-current={here ? "page" : undefined}
            >
              <Icon size={20} aria-hidden />
              <span>{name}</span>
            </Link>
          );
        })}
        <div className="side-foot">
          <ThemeButton />
          {keyNeeded && <SignOutButton />}
          <span>Version {version}</span>
        </div>
      </nav>
      <ConnectionBanner />
      <main ref={main} tabIndex={-1}>
        <Boundary place={location}>
          <Suspense fallback={<Loading />}>
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
          </Suspense>
        </Boundary>
      </main>
    </div>
  );
}

const GRACE_MS = 1_000;

/** Says that what is shown may be old; a connection that is back within a second says nothing. */
function ConnectionBanner() {
  const connection = useConnection();
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (connection !== "lost") return;
    const timer = setTimeout(() => setLate(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [connection]);
  return (
    <div role="status" aria-live="assertive" style={{ display: "contents" }}>
      {late && (
        <div className="banner">
          <span className="grow">
            {live.reason
              ? `The server takes no more pages (${live.reason}). Close one that is open elsewhere.`
              : "The connection to the server is lost. A running recording goes on without this page; what you see may be old."}
          </span>
          <Button size="small" onClick={() => live.retryNow()}>
            Connect now
          </Button>
        </div>
      )}
    </div>
  );
}

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const LOOKS = { system: SunMoon, light: Sun, dark: Moon };

function ThemeButton() {
  const [theme, setTheme] = useState(savedTheme);
  const Icon = LOOKS[theme];
  const change = () => {
    applyTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return (
    <Button size="small" tone="quiet" onClick={change}>
      <Icon size={16} aria-hidden /> Colours: {theme}
    </Button>
  );
}

function SignOutButton() {
  const signOut = useSignOut();
  return (
    <Button size="small" tone="quiet" onClick={() => signOut.mutate()}>
      <LogOut size={16} aria-hidden /> Sign out
    </Button>
  );
}
