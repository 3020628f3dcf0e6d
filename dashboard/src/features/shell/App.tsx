import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Router } from "wouter";
import { onSignInNeeded } from "../../api/http";
import { live } from "../../api/live";
import { SESSION, useSession } from "../../api/session";
import { useExactHash } from "../../lib/hashLocation";
import { words } from "../../messages";
import { useLanguage } from "../../messages/LanguageProvider";
import { Button, ErrorNote, Loading } from "../../ui/basics";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";

export function App() {
  useLanguage();
  const session = useSession();
  const state = session.data;
  useSignedIn(state?.signed_in);

  if (session.isError) {
    return (
      <main className="page">
        <h1 className="sr-only">touchline</h1>
        <ErrorNote error={session.error} />
        <div>
          <Button onClick={() => session.refetch()}>{words.shell.tryAgain}</Button>
        </div>
      </main>
    );
  }
  if (state === undefined) return <Loading what={words.shell.connecting} />;
  if (!state.signed_in) return <SignIn />;
  return (
    <Router hook={useExactHash}>
      <Shell keyNeeded={state.key_needed} version={state.version} />
    </Router>
  );
}

/** Keep the connection as long as somebody is signed in, and ask who is when the key is wanted. */
function useSignedIn(signedIn: boolean | undefined) {
  const queries = useQueryClient();
  useEffect(
    () => onSignInNeeded(() => void queries.invalidateQueries({ queryKey: SESSION })),
    [queries],
  );
  useEffect(() => {
    if (signedIn === undefined) return;
    // The socket wants the key wherever one is set.
    if (signedIn) live.start();
    else live.refuse();
  }, [signedIn]);
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
}
