// The WebSocket: what is watched goes up, pictures and statistics come down. It is opened again when it is lost.

const FIRST_MS = 500;
const MOST_MS = 10000;

export class Connection {
  /** @param {{picture: Function, statistics: Function, metadata: Function, state: Function}} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    this.wish = { watch: {}, decodes: [], detail: null };
    this.said = "";
    this.delayMs = FIRST_MS;
    this.socket = null;
    this.isClosed = false;
  }

  open() {
    this.isClosed = false;
    this.handlers.state("connecting");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/watch`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.delayMs = FIRST_MS;
      this.said = "";
      this.handlers.state("open");
      this.say();
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => {
      if (this.socket !== socket || this.isClosed) return;
      this.handlers.state("lost");
      setTimeout(() => this.isClosed || this.open(), this.delayMs);
      this.delayMs = Math.min(this.delayMs * 2, MOST_MS);
    };
    this.socket = socket;
  }

  close() {
    this.isClosed = true;
    this.socket?.close();
  }

  /** Say what is to be seen from now on: all of it, each time. */
  want(wish) {
    this.wish = wish;
    this.say();
  }

  askForKeyframe(source) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ keyframe: source }));
  }

  say() {
    const text = JSON.stringify(this.wish);
    if (this.socket?.readyState === WebSocket.OPEN && text !== this.said) {
      this.said = text;
      this.socket.send(text);
    }
  }

  take(data) {
    if (typeof data === "string") {
      const said = JSON.parse(data);
      if (said.statistics) this.handlers.statistics(said.statistics);
      if (said.metadata) this.handlers.metadata(said.metadata.source_id, said.metadata.frame);
      return;
    }
    const length = new DataView(data).getUint32(0);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.handlers.picture(head, new Uint8Array(data, 4 + length));
  }
}
