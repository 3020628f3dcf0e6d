import "./styles.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ServerError } from "./api/http";
import { live } from "./api/live";
import { sessionQuery } from "./api/session";
import { App } from "./features/shell/App";
import { applyTheme, savedTheme } from "./lib/theme";
import { loadLanguage, preferredLanguage } from "./messages";
import { LanguageProvider } from "./messages/LanguageProvider";
import { FeedbackProvider } from "./ui/feedback";

applyTheme(savedTheme());

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      // What the server refused it will refuse again.
      retry: (count, error) => count < 2 && !(error instanceof ServerError && error.status >= 400),
    },
  },
});

// The server is asked while the texts are loaded and the page is drawn.
void queries.prefetchQuery(sessionQuery).then(() => {
  if (queries.getQueryData(sessionQuery.queryKey)?.signed_in) live.start();
});

// English, which is here already, where the texts of another language cannot be had.
await loadLanguage(preferredLanguage()).catch(() => loadLanguage("en"));

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <LanguageProvider>
        <FeedbackProvider>
          <App />
        </FeedbackProvider>
      </LanguageProvider>
    </QueryClientProvider>
  </StrictMode>,
);
