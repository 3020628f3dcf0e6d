import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/touchline/web/static",
    emptyOutDir: true,
    target: "es2022",
    // Players and charts are loaded when they are first shown.
    chunkSizeWarningLimit: 700,
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
