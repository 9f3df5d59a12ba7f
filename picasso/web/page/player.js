// Access units and pictures onto a canvas: by WebCodecs where the browser has it, else JPEG.

const MOST_WAITING = 12;

/** The codecs of streams that this browser decodes. WebCodecs is there for localhost and https only. */
export async function decodedCodecs() {
  if (!("VideoDecoder" in globalThis)) return [];
  const tries = { h264: "avc1.42c01f", av1: "av01.0.08M.08" };
  const found = [];
  for (const [name, codec] of Object.entries(tries)) {
    try {
      const answer = await VideoDecoder.isConfigSupported({ codec, codedWidth: 640, codedHeight: 360 });
      if (answer.supported) found.push(name);
    } catch {
      // this browser does not know the codec at all
    }
  }
  return found;
}

export class Player {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(head: object) => void} onShown called when a picture is on the canvas, with what came with it
   * @param {() => void} onBroken called when the stream can be shown only from its next keyframe
   */
  constructor(canvas, onShown, onBroken) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.onShown = onShown;
    this.onBroken = onBroken;
    this.shown = 0;
    this.number = 0;
    this.heads = new Map();
    this.decoder = null;
    this.codec = "";
    this.needsKey = true;
    this.newest = 0;
    this.bitmaps = 0;
  }

  push(head, data) {
    if (head.codec === "jpeg" || head.codec === "png") this.pushImage(head, data);
    else this.pushUnit(head, data);
  }

  close() {
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    this.needsKey = true;
    this.heads.clear();
  }

  pushUnit(head, data) {
    if (this.needsKey && !head.key) return;
    if (head.key && head.decoder) this.prepare(head);
    if (!this.decoder) return;
    if (this.decoder.decodeQueueSize > MOST_WAITING) {
      this.needsKey = true;
      this.onBroken();
      return;
    }
    this.needsKey = false;
    const timestamp = ++this.number;
    this.heads.set(timestamp, head);
    try {
      this.decoder.decode(new EncodedVideoChunk({ type: head.key ? "key" : "delta", timestamp, data }));
    } catch {
      this.fail();
    }
  }

  prepare(head) {
    const codec = `${head.decoder} ${head.width}x${head.height}`;
    if (this.decoder?.state === "configured" && codec === this.codec) return;
    this.close();
    this.codec = codec;
    this.decoder = new VideoDecoder({ output: (frame) => this.show(frame), error: () => this.fail() });
    const shape = { codedWidth: head.width, codedHeight: head.height };
    this.decoder.configure({ codec: head.decoder, ...shape, optimizeForLatency: true });
  }

  fail() {
    this.close();
    this.codec = "";
    this.onBroken();
  }

  show(frame) {
    const head = this.heads.get(frame.timestamp);
    for (const timestamp of this.heads.keys()) if (timestamp <= frame.timestamp) this.heads.delete(timestamp);
    if (head) this.draw(frame, head);
    frame.close();
  }

  async pushImage(head, data) {
    if (this.bitmaps > 2) return;
    this.bitmaps += 1;
    const number = ++this.number;
    try {
      const bitmap = await createImageBitmap(new Blob([data], { type: `image/${head.codec}` }));
      if (number > this.newest) {
        this.newest = number;
        this.draw(bitmap, head);
      }
      bitmap.close();
    } catch {
      // a picture that the browser does not read: the next one comes
    } finally {
      this.bitmaps -= 1;
    }
  }

  draw(image, head) {
    if (this.canvas.width !== head.width || this.canvas.height !== head.height) {
      this.canvas.width = head.width;
      this.canvas.height = head.height;
    }
    this.context.drawImage(image, 0, 0, head.width, head.height);
    this.shown += 1;
    this.canvas.dataset.shown = String(this.shown);
    this.onShown(head);
  }
}
