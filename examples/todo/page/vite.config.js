import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = "http://127.0.0.1:8020";

export default defineConfig({
  plugins: [react()],
  // The client is linked from this repository, where it has a React of its own for its tests.
  resolve: { dedupe: ["react", "react-dom"] },
  // `npm run dev` serves the page, and `cargo run -p todo` the list. To the latter the page is of its own origin.
  server: {
    proxy: {
      "/ws": { target: server, ws: true, headers: { origin: server } },
      "/sse": server,
    },
  },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    rolldownOptions: {
      // The Rust program has these names in it.
      output: { entryFileNames: "page.js", assetFileNames: "page[extname]" },
    },
  },
});
