import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";

/** Shared files are named after all pages that they are for. */
const nameOf = (name: string) => name.split("~")[0]?.replace(/\.\w+$/, "");

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/touchline/web/static",
    emptyOutDir: true,
    target: "es2022",
    // Players and charts are loaded when they are first shown.
    chunkSizeWarningLimit: 700,
    // What pages share is in few files: a browser asks for six at a time.
    rolldownOptions: {
      output: {
        chunkFileNames: ({ name }) => `assets/${nameOf(name)}-[hash].js`,
        assetFileNames: ({ names }) => `assets/${nameOf(names[0] ?? "asset")}-[hash][extname]`,
        codeSplitting: {
          groups: [
            {
              name: "shared",
              minShareCount: 2,
              entriesAware: true,
              entriesAwareMergeThreshold: 20_000,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/hls", "/engines", "/streams", "/events", "/vpn", "/custom-variant"].map((path) => [
        path,
        server,
      ]),
    ),
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
