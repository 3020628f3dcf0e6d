import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useAction } from "../ui/feedback";
import { api, ask, type Schema } from "./http";

const CONFIG = ["panorama-config"];

type Output = {
  width: number;
  height: number;
  automatic: boolean;
  projection: "cylindrical" | "plane";
  quality: "fast" | "balanced" | "high";
};

/** How panoramas are made, and what changes it. */
export function usePanoramaConfig() {
  const queries = useQueryClient();
  const config = useQuery({
    queryKey: CONFIG,
    queryFn: () => ask(api.GET("/api/v1/panorama/config")),
  });
  const change = useAction(
    (body: Schema["PanoramaConfigUpdate"]) => ask(api.PUT("/api/v1/panorama/config", { body })),
    {
      done: ({ message }) => message,
      after: () => void queries.invalidateQueries({ queryKey: CONFIG }),
    },
  );
  const { calibration, output, performance } = config.data ?? {};
  return {
    output: output as Output | undefined,
    seamPixels: calibration?.blend_width as number | undefined,
    previewFps: performance?.preview_fps_target as number | undefined,
    change: change.mutate,
  };
}
