/** A picture on a sheet of thumbnails: when it is shown, and where it lies. */
export type Thumbnail = {
  from: number;
  to: number;
  x: number;
  y: number;
  width: number;
  height: number;
};

const CUE = /^([\d:.]+) --> ([\d:.]+)/;
const PLACE = /#xywh=(\d+),(\d+),(\d+),(\d+)/;

/** The thumbnails in a WebVTT file whose cues are `sheet.jpg#xywh=x,y,w,h`. */
export function parseThumbnails(text: string): Thumbnail[] {
  const found: Thumbnail[] = [];
  let times: [number, number] | null = null;
  for (const line of text.split(/\r?\n/)) {
    const cue = CUE.exec(line);
    if (cue) {
      times = [seconds(cue[1] ?? ""), seconds(cue[2] ?? "")];
      continue;
    }
    const place = PLACE.exec(line);
    if (place && times) {
      const [x = 0, y = 0, width = 0, height = 0] = place.slice(1).map(Number);
      found.push({ from: times[0], to: times[1], x, y, width, height });
      times = null;
    }
  }
  return found;
}

export function thumbnailAt(thumbnails: Thumbnail[], at: number): Thumbnail | undefined {
  let low = 0;
  let high = thumbnails.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((thumbnails[middle]?.from ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return thumbnails[Math.max(0, low - 1)];
}

function seconds(text: string): number {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
