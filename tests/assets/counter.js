// Reads the frame counter that simulated cameras burn into their pictures (worker/testpicture.py).
const COLUMNS = 40, ROWS = 20, CELL = 8, BITS = 20;

function checksum(bytes) {
  let crc = 0xff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let n = 0; n < 8; n += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  }
  return crc;
}

// The counter of the frame a video element shows, or null where none can be read.
function readCounter(video, canvas) {
  canvas.width = COLUMNS * CELL;
  canvas.height = 3 * CELL;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const part = (video.videoHeight * 3) / ROWS;
  context.drawImage(video, 0, 0, video.videoWidth, part, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const light = (column, row) => {
    let sum = 0;
    for (let y = row * CELL + CELL / 4; y < row * CELL + (CELL * 3) / 4; y += 1) {
      for (let x = column * CELL + CELL / 4; x < column * CELL + (CELL * 3) / 4; x += 1) {
        sum += pixels[(y * canvas.width + x) * 4 + 1];
      }
    }
    return (sum * 4) / (CELL * CELL);
  };
  const white = (light(1, 1) + light(22, 2)) / 2, black = (light(22, 1) + light(1, 2)) / 2;
  if (white - black < 40) return null;
  const bits = [];
  for (const row of [1, 2]) {
    for (let n = 0; n < BITS; n += 1) bits.push(light(2 + n, row) > (white + black) / 2 ? 1 : 0);
  }
  const number = (from, count) => bits.slice(from, from + count).reduce((n, bit) => n * 2 + bit, 0);
  const counter = number(0, 32);
  const bytes = [24, 16, 8, 0].map((shift) => (counter >>> shift) & 0xff);
  return checksum(bytes) === number(32, 8) ? counter : null;
}

// Every frame a video element shows from now on: when (Unix ms) and its counter.
function watchFrames(video) {
  const canvas = document.createElement("canvas");
  const frames = [];
  const look = () => {
    frames.push({ at: performance.timeOrigin + performance.now(), counter: readCounter(video, canvas) });
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  return frames;
}
