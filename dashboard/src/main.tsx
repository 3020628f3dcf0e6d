import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { ServerError } from "./api/http";
import { applyTheme, savedTheme } from "./lib/theme";
import "./styles.css";
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

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <FeedbackProvider>
        <App />
      </FeedbackProvider>
    </QueryClientProvider>
  </StrictMode>,
);
