import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
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
type Changes = Schema["PanoramaConfigUpdate"];

const put = (body: Changes) => ask(api.PUT("/api/v1/panorama/config", { body }));

/**
 * How panoramas are made, and what changes it: `change` tells a failure in a message, and `save`
 * rejects with it, for a field that tells it itself.
 */
export function usePanoramaConfig() {
  const queries = useQueryClient();
  const config = useQuery({
    queryKey: CONFIG,
    queryFn: () => ask(api.GET("/api/v1/panorama/config")),
  });
  const after = () => void queries.invalidateQueries({ queryKey: CONFIG });
  const change = useAction(put, { after });
  const save = useMutation({ mutationFn: put, onSettled: after });
  const { calibration, output, performance } = config.data ?? {};
  return {
    error: config.error,
    output: output as Output | undefined,
    seamPixels: calibration?.blend_width as number | undefined,
    previewFps: performance?.preview_fps_target as number | undefined,
    change: change.mutate,
    save: save.mutateAsync,
  };
}
