import { useChannel } from "../../api/live";
import { words } from "../../messages";

/** What the two cameras of a panorama are called: as they are set up, or by their side. */
export function useSides(): readonly [string, string] {
  const cameras = useChannel("cameras")?.cameras;
  const name = (id: number) => cameras?.find((camera) => camera.id === id)?.name;
  const { left, right } = words.panorama.guide;
  return [name(0) ?? left, name(1) ?? right];
}
