const SVG = "http://www.w3.org/2000/svg";
const ZOOMS = [1, 2, 4];
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const svg = (tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The pixels on a straight line, both ends included. */
const line = ([row, col], [toRow, toCol]) => {
  const n = Math.max(Math.abs(toRow - row), Math.abs(toCol - col), 1);
  return Array.from({ length: n + 1 }, (_, i) => [
    Math.round(row + ((toRow - row) * i) / n),
    Math.round(col + ((toCol - col) * i) / n),
  ]);
};

/** One board for as long as it is on the page; the server's data come and go. */
class Board {
  constructor(parent) {
    this.canvas = parent.querySelector("canvas");
    this.overlay = parent.querySelector("svg");
    this.frame = parent.querySelector(".frame");
    this.readout = parent.querySelector(".readout");
    this.title = parent.querySelector(".title");
    this.text = parent.querySelector(".text");
    this.zoom = 1;
    [this.x, this.y] = [0, 0]; // of the corner that is seen, in pixels
    this.cursor = null; // row, column
    this.stroke = null; // pixels, while it is drawn
    this.pending = []; // strokes that the server has not answered yet
    this.sent = null;
    this.moves = false;
    this.addTools(parent.querySelector(".tools"));
    this.listen();
  }

  update(data, send) {
    const other = !this.data || this.data.name !== data.name;
    [this.data, this.send] = [data, send];
    if (other) [this.cursor, this.zoom, this.x, this.y] = [null, 1, 0, 0];
    this.sent = this.sent === null ? data.seen : Math.max(this.sent, data.seen);
    this.pending = this.pending.filter((each) => each.n > data.seen);
    this.frame.style.aspectRatio = `${data.width} / ${data.height}`;
    this.title.textContent = data.title;
    this.text.textContent = data.text;
    this.overlay.setAttribute("aria-label", data.alt);
    this.move.hidden = !data.drags;
    const image = new Image();
    image.onload = () => {
      if (this.data !== data) return;
      this.image = image;
      this.draw();
      this.tell();
    };
    image.src = data.image;
    this.look();
    this.tell();
  }

  /** The server's picture, and on it what it has not seen yet. */
  draw() {
    const { width, height } = this.data;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
    }
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.image, 0, 0);
    if (!this.data.drags) return;
    context.fillStyle = this.data.colour;
    for (const { pixels } of [...this.pending, { pixels: this.stroke ?? [] }]) {
      for (const [row, col] of pixels) context.fillRect(col, row, 1, 1);
    }
  }

  look() {
    const { width, height } = this.data;
    const [w, h] = [width / this.zoom, height / this.zoom];
    this.x = clamp(this.x, 0, width - w);
    this.y = clamp(this.y, 0, height - h);
    this.overlay.setAttribute("viewBox", `${this.x} ${this.y} ${w} ${h}`);
    this.overlay.classList.toggle("moves", this.moves);
    this.canvas.style.width = this.canvas.style.height = `${100 * this.zoom}%`;
    this.canvas.style.left = `${(-100 * this.x) / w}%`;
    this.canvas.style.top = `${(-100 * this.y) / h}%`;
    this.overlay.replaceChildren(
      ...this.data.rings.flatMap(({ row, col, hit }) => {
        const at = { cx: col + 0.5, cy: row + 0.5, r: width / 32 };
        return [svg("circle", { ...at, class: "halo" }), svg("circle", { ...at, class: `ring ${hit ? "" : "miss"}` })];
      }),
      ...(this.cursor ? [svg("rect", { x: this.cursor[1], y: this.cursor[0], width: 1, height: 1, class: "cursor" })] : []),
    );
    [this.less.disabled, this.more.disabled] = [this.zoom === ZOOMS[0], this.zoom === ZOOMS.at(-1)];
    this.move.disabled = this.zoom === 1;
    this.move.setAttribute("aria-pressed", this.moves);
  }

  tell() {
    if (!this.cursor || !this.image) {
      this.readout.textContent = this.data.hint;
      return;
    }
    const [row, col] = this.cursor;
    const [r, g, b] = this.canvas.getContext("2d").getImageData(col, row, 1, 1).data;
    this.readout.textContent = `Row ${row}, column ${col}: red ${r}, green ${g}, blue ${b}`;
  }

  place(event) {
    const box = this.overlay.getBoundingClientRect();
    const across = this.data.width / this.zoom / box.width;
    const [row, col] = [this.y + (event.clientY - box.top) * across, this.x + (event.clientX - box.left) * across];
    return [Math.floor(row), Math.floor(col)];
  }

  has([row, col]) {
    return row >= 0 && col >= 0 && row < this.data.height && col < this.data.width;
  }

  point(place) {
    this.cursor = this.has(place) ? place : null;
    this.look();
    this.tell();
  }

  add(places) {
    const known = new Set(this.stroke.map(String));
    for (const place of places) {
      if (this.has(place) && !known.has(String(place)) && this.stroke.length < this.data.left) this.stroke.push(place);
    }
    if (this.image) this.draw();
  }

  finish() {
    const pixels = this.stroke;
    this.stroke = null;
    if (!pixels?.length) return;
    this.sent += 1;
    this.pending.push({ n: this.sent, pixels });
    this.send("strokes", this.pending);
  }

  listen() {
    let from = null; // where a drag has begun, and what was seen then
    this.overlay.onpointerdown = (event) => {
      if (event.button !== 0) return;
      this.overlay.setPointerCapture(event.pointerId);
      if (this.moves && this.zoom > 1) {
        from = [event.clientX, event.clientY, this.x, this.y];
        return;
      }
      const place = this.place(event);
      this.point(place);
      this.stroke = [];
      if (this.data.drags) this.add([place]);
      from = place;
    };
    this.overlay.onpointermove = (event) => {
      if (from?.length === 4) {
        const across = this.data.width / this.zoom / this.overlay.getBoundingClientRect().width;
        this.x = from[2] - (event.clientX - from[0]) * across;
        this.y = from[3] - (event.clientY - from[1]) * across;
        return this.look();
      }
      const place = this.place(event);
      this.point(place);
      if (this.stroke && this.data.drags) {
        this.add(line(from, place));
        from = place;
      }
    };
    this.overlay.onpointerup = (event) => {
      if (this.stroke && !this.data.drags) this.add([this.place(event)]);
      from = null;
      this.finish();
    };
    this.overlay.onpointercancel = () => {
      from = this.stroke = null;
      if (this.image) this.draw();
    };
    this.overlay.onpointerleave = (event) => {
      if (event.pointerType === "mouse" && !this.stroke) this.point([-1, -1]);
    };
    this.overlay.onkeydown = (event) => this.onKey(event);
  }

  onKey(event) {
    const { width, height } = this.data;
    if (event.key in STEPS) {
      const [down, right] = STEPS[event.key].map((each) => each * (event.shiftKey ? 5 : 1));
      const [row, col] = this.cursor ?? [height >> 1, width >> 1];
      const place = [clamp(row + down, 0, height - 1), clamp(col + right, 0, width - 1)];
      this.follow(place);
      this.point(place);
    } else if ((event.key === "Enter" || event.key === " ") && this.cursor) {
      this.stroke = [];
      this.add([this.cursor]);
      this.finish();
    } else if (event.key === "+" || event.key === "=") this.scale(1);
    else if (event.key === "-") this.scale(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  follow([row, col]) {
    const [w, h] = [this.data.width / this.zoom, this.data.height / this.zoom];
    if (col < this.x || col >= this.x + w) this.x = col - w / 2;
    if (row < this.y || row >= this.y + h) this.y = row - h / 2;
  }

  scale(direction) {
    const stop = ZOOMS.indexOf(this.zoom) + direction;
    if (!ZOOMS[stop]) return;
    const [w, h] = [this.data.width, this.data.height];
    const [row, col] = this.cursor ?? [this.y + h / this.zoom / 2, this.x + w / this.zoom / 2];
    this.zoom = ZOOMS[stop];
    [this.x, this.y] = [col - w / this.zoom / 2, row - h / this.zoom / 2];
    if (this.zoom === 1) this.moves = false;
    this.look();
  }

  addTools(place) {
    const tool = (textContent, title, onclick) =>
      Object.assign(document.createElement("button"), { type: "button", textContent, title, onclick, ariaLabel: title });
    this.less = tool("−", "Zoom out", () => this.scale(-1));
    this.more = tool("+", "Zoom in", () => this.scale(1));
    this.move = tool("Move", "Drag to move what is seen, instead of painting", () => {
      this.moves = !this.moves;
      this.look();
    });
    place.replaceChildren(this.less, this.more, this.move);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.board ??= new Board(parentElement);
  parentElement.board.update(data, setTriggerValue);
}
