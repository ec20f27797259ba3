const SVG = "http://www.w3.org/2000/svg";
const ZOOMS = [1, 2, 4, 8, 16];
const DRAG_STARTS = 6; // CSS pixels: a shorter drag is a click
const [HOLD, FRAME] = [700, 70]; // ms that a frame of a film stays: one that is worth a look, and any other
const MANY_GONE = 150; // pixels
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const html = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

const svg = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

/** A circle or a diamond around a point; the diamond reaches further, to weigh the same to the eye. */
const outline = (shape, x, y, radius, attributes) => {
  if (shape === "circle") return svg("circle", { cx: x, cy: y, r: radius, ...attributes });
  const reach = 1.25 * radius;
  const points = [[0, -reach], [reach, 0], [0, reach], [-reach, 0]].map(([dx, dy]) => `${x + dx},${y + dy}`);
  return svg("polygon", { points: points.join(" "), "stroke-linejoin": "round", ...attributes });
};

const swatch = ([red, green, blue]) =>
  html("span", { className: "swatch", style: `background: rgb(${red}, ${green}, ${blue})` });

/** Two decimals, and no minus before a zero. */
const decimals = (value) => value.toFixed(2).replace("-0.00", "0.00");

/** Whether a point lies in a polygon: an odd number of edges to its right. */
const inside = ([x, y], corners) => {
  let odd = false;
  corners.forEach(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  });
  return odd;
};

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** The film of the attack, over the pictures, once: the dense change shrinks, and the label flips. */
class Film {
  constructor({ frames, clean, before, after }, width, height) {
    Object.assign(this, { width, height, clean, before, after, at: 0, over: false, timer: null });
    this.frames = frames.map((frame) => ({
      ...frame,
      where: new Int32Array(bytes(frame.where).buffer),
      colours: bytes(frame.colours),
    }));
    this.ready = html("img", { src: clean }).decode();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.over = true;
  }

  /** Draw over these panes, whose captions tell what the network sees; `told` hears of each frame, `done` of the end. */
  show(panes, told, done) {
    Object.assign(this, { told, done });
    if (this.over) return done();
    panes.classList.add("filming");
    this.screens = [...panes.querySelectorAll(".pane:not(.clean)")].map((pane) => {
      const canvas = html("canvas", { className: "film", width: this.width, height: this.height });
      pane.querySelector(".frame").append(canvas);
      const text = pane.querySelector("figcaption .text")?.textContent;
      return { context: canvas.getContext("2d"), marked: pane.classList.contains("marked"), pane, text };
    });
    this.panes = panes;
    this.draw();
    if (!this.timer) this.timer = setTimeout(() => this.tick(), HOLD);
  }

  async draw() {
    const { where, colours, margin, stage, step } = this.frames[this.at];
    const base = html("img", { src: this.clean });
    await base.decode();
    if (this.over) return;
    for (const { context, marked, pane } of this.screens) {
      context.clearRect(0, 0, this.width, this.height);
      if (!marked) context.drawImage(base, 0, 0);
      const image = context.getImageData(0, 0, this.width, this.height);
      where.forEach((pixel, i) => {
        const colour = marked ? [91, 79, 199] : colours.subarray(3 * i, 3 * i + 3);
        image.data.set([...colour, 255], 4 * pixel);
      });
      context.putImageData(image, 0, 0);
      const text = pane.querySelector("figcaption .text");
      if (text && !marked) text.textContent = margin < 0 ? this.after : this.before;
    }
    this.told({ share: this.at / (this.frames.length - 1), n: where.length, fooled: margin < 0, stage, step });
  }

  tick() {
    if (this.over || !this.panes.isConnected) return this.end();
    if (this.at >= this.frames.length - 1) return this.end();
    this.at += 1;
    this.draw();
    const slow = this.frames[this.at].where.length > 1000 || this.at >= this.frames.length - 1;
    this.timer = setTimeout(() => this.tick(), slow ? HOLD : FRAME);
  }

  end() {
    clearTimeout(this.timer);
    if (this.over) return;
    this.over = true;
    for (const { pane, text } of this.screens) if (text) pane.querySelector("figcaption .text").textContent = text;
    this.panes.classList.remove("filming");
    for (const canvas of this.panes.querySelectorAll(".film")) canvas.remove();
    this.done();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const { width, height, marks, selected } = data;
  const looks = Object.fromEntries(data.legend.map((look) => [look.kind, look]));
  const radius = Math.max(width, height) / Math.min(120, 46 + marks.length / 3); // many marks are smaller
  const letsGo = data.picks && !data.toggles; // there is a selection to let go of
  let colours = null; // RGBA of the compared pictures, once they are read
  const [cursors, overlays, images, glyphs] = [[], [], [], []];
  const readout = parentElement.querySelector(".readout");
  // What outlives a new run: how far one has zoomed, and where the keys are.
  const view = (parentElement.view ??= { zoom: 1, x: 0, y: 0, row: null, col: null });

  const describe = (mark) =>
    `row ${mark.row}, column ${mark.col}: ${mark.kind}${mark.weak ? ", weak" : ""}` +
    ` (obscuring ${decimals(mark.obscuring)}, leading ${decimals(mark.leading)} ${data.unit})` +
    (mark.off ? ", put back" : "") +
    (mark.came ? ", new since the run before" : "");

  const pick = (pixels, add = false, lasso = false) => {
    if (data.picks) setTriggerValue("pick", { pixels, add, lasso });
  };

  /** Pick one mark and tell of it, wherever on its glyph the pointer is. */
  const take = (index, add) => {
    [view.row, view.col] = [marks[index].row, marks[index].col];
    pick([index], add);
  };

  const drawMark = (mark, index) => {
    const { shape, colour } = looks[mark.kind];
    const chosen = selected.includes(index);
    const glyph = svg(
      "g",
      {},
      outline(shape, 0, 0, radius, { class: "halo" }),
      outline(shape, 0, 0, radius, {
        class: "shape",
        stroke: colour,
        fill: mark.weak || mark.off ? "transparent" : colour,
      }),
      outline("circle", 0, 0, radius * 2, { class: "ring" }),
    );
    glyphs.push([glyph, mark]);
    const group = svg(
      "g",
      {
        class: `mark${chosen ? " selected" : ""}${mark.off ? " off" : ""}${mark.came ? " came" : ""}`,
        tabindex: 0,
        "aria-label": describe(mark),
        ...(data.picks ? { role: "button", "aria-pressed": data.toggles ? mark.off : chosen } : { role: "img" }),
      },
      glyph,
    );
    if (!data.picks) return group;
    group.onclick = (event) => take(index, event.shiftKey || event.ctrlKey || event.metaKey);
    group.onkeydown = (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        event.stopPropagation();
        take(index, event.shiftKey);
      }
    };
    return group;
  };

  /** What the run before changed and this one does not: hollow, or, of very many, as cells. */
  const drawGone = () => {
    const cells = data.went.map(([row, col]) => `M${col} ${row}h1v1h-1z`).join("");
    if (data.went.length > MANY_GONE) return [svg("path", { class: "gone cells", d: cells })];
    return data.went.flatMap(([row, col]) =>
      ["gone halo", "gone"].map((kind) => outline("circle", col + 0.5, row + 0.5, 0.8 * radius, { class: kind })),
    );
  };

  /** To the place below where pixels can be taken back. */
  const takeBack = () => {
    const bench = document.querySelector(".st-key-what-if");
    if (bench && !bench.querySelector("details[open]")) bench.querySelector("summary")?.click();
    bench?.scrollIntoView({ behavior: "smooth", block: "start" });
  };

  const filming = () => view.film && !view.film.over;

  const tell = (row, col) => {
    if (!colours || filming()) return; // it is told once they are read
    const at = 4 * (row * width + col);
    const [old, current] = colours.map((rgba) => rgba.slice(at, at + 3));
    const [was, is] = data.compared;
    const named = (name, rgb) => [`${name} `, swatch(rgb), ` rgb ${rgb.join(", ")}`];
    const same = old.every((value, channel) => value === current[channel]);
    const seen = same ? named(`${was} and ${is}`, old) : [...named(was, old), " → ", ...named(is, current)];
    const parts = [`Row ${row}, column ${col}: `, ...seen];
    const mark = marks.find((each) => each.row === row && each.col === col);
    if (mark) parts.push(" · " + describe(mark).split(": ")[1]);
    readout.replaceChildren(...parts);
  };

  const rest = () => {
    if (filming()) return;
    if (view.row !== null) return point(view.row, view.col);
    for (const cursor of cursors) cursor.style.visibility = "hidden";
    const chosen = selected.map((index) => marks[index]).filter(Boolean);
    if (chosen.length === 1) point(chosen[0].row, chosen[0].col);
    else if (chosen.length) {
      readout.textContent = `${chosen.length} pixels selected.${letsGo ? " Escape lets go of them." : ""}`;
    } else if (view.film && view.filmed === data.images.after) {
      readout.replaceChildren("That was the attack. ", html("button", { type: "button", className: "next", textContent: "Now take one pixel back ↓", onclick: takeBack }));
    } else readout.textContent = marks.length ? data.hint : "";
  };

  const point = (row, col) => {
    for (const cursor of cursors) {
      cursor.setAttribute("x", col);
      cursor.setAttribute("y", row);
      cursor.style.visibility = "visible";
    }
    tell(row, col);
  };

  /** Show the part of the pictures that is zoomed to; marks keep their size on the screen. */
  const look = () => {
    const [w, h] = [width / view.zoom, height / view.zoom];
    view.x = Math.min(Math.max(view.x, 0), width - w);
    view.y = Math.min(Math.max(view.y, 0), height - h);
    for (const overlay of overlays) overlay.setAttribute("viewBox", `${view.x} ${view.y} ${w} ${h}`);
    for (const image of images) {
      image.style.width = image.style.height = `${100 * view.zoom}%`;
      image.style.left = `${(-100 * view.x) / w}%`;
      image.style.top = `${(-100 * view.y) / h}%`;
      image.parentElement.classList.toggle("zoomed", view.zoom > 1);
    }
    for (const [glyph, mark] of glyphs) {
      glyph.setAttribute("transform", `translate(${mark.col + 0.5} ${mark.row + 0.5}) scale(${1 / view.zoom})`);
    }
    const [less, more] = parentElement.querySelectorAll(".tools button");
    less.disabled = view.zoom === ZOOMS[0];
    more.disabled = view.zoom === ZOOMS.at(-1);
    parentElement.querySelector(".factor").textContent = `${view.zoom} ×`;
  };

  /** Zoom by one stop and keep the point (x, y) where it is. */
  const zoom = (direction, x, y) => {
    const stop = ZOOMS.indexOf(view.zoom) + direction;
    if (!ZOOMS[stop]) return;
    const ratio = view.zoom / ZOOMS[stop];
    view.x = x - (x - view.x) * ratio;
    view.y = y - (y - view.y) * ratio;
    view.zoom = ZOOMS[stop];
    look();
  };

  /** What the buttons and keys zoom to: the cursor, else the selected pixel, else the middle. */
  const focus = () => {
    const chosen = marks[selected[0]];
    if (view.row !== null) return [view.col + 0.5, view.row + 0.5];
    return chosen ? [chosen.col + 0.5, chosen.row + 0.5] : [width / 2, height / 2];
  };

  const step = ([down, right]) => {
    const [col, row] = focus().map(Math.floor);
    view.row = Math.min(Math.max(row + down, 0), height - 1);
    view.col = Math.min(Math.max(col + right, 0), width - 1);
    const [w, h] = [width / view.zoom, height / view.zoom];
    if (view.col < view.x || view.col >= view.x + w) view.x = view.col - w / 2;
    if (view.row < view.y || view.row >= view.y + h) view.y = view.row - h / 2;
    look();
    point(view.row, view.col);
  };

  const onKey = (event) => {
    if (event.key in STEPS) step(STEPS[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(1, ...focus());
    else if (event.key === "-") zoom(-1, ...focus());
    else if (event.key === "Escape" && letsGo) pick([], false, true);
    else if ((event.key === "Enter" || event.key === " ") && data.picks) {
      const index = marks.findIndex((mark) => mark.row === view.row && mark.col === view.col);
      if (index >= 0) take(index, event.shiftKey);
    } else return;
    event.preventDefault();
  };

  const readColours = async (name) => {
    const image = html("img", { src: data.images[name] });
    await image.decode();
    const context = html("canvas", { width, height }).getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, width, height).data;
  };

  /** Where one has zoomed in, a finger or the middle button drags the pictures. */
  const pan = (overlay) => {
    let from = null;
    overlay.addEventListener("pointerdown", (event) => {
      if (view.zoom === 1 || !(event.pointerType === "touch" || event.button === 1)) return;
      event.preventDefault();
      from = [event.clientX, event.clientY, view.x, view.y];
    });
    overlay.addEventListener("pointermove", (event) => {
      if (!from) return;
      const far = Math.hypot(event.clientX - from[0], event.clientY - from[1]) >= DRAG_STARTS;
      if (!far && !overlay.hasPointerCapture(event.pointerId)) return;
      overlay.setPointerCapture(event.pointerId);
      const scale = width / view.zoom / overlay.getBoundingClientRect().width;
      view.x = from[2] - (event.clientX - from[0]) * scale;
      view.y = from[3] - (event.clientY - from[1]) * scale;
      look();
    });
    for (const end of ["pointerup", "pointercancel"]) overlay.addEventListener(end, () => (from = null));
  };

  /** Drag around a part of the picture: `enclosed` gets its corners. `fingers` draw as well, or else they scroll. */
  const lasso = (overlay, place, fingers, enclosed) => {
    let corners = null;
    let drawn = null;
    let from = null;
    overlay.onpointerdown = (event) => {
      if (event.button === 0 && (fingers || event.pointerType !== "touch")) {
        from = [event.clientX, event.clientY, place(event)];
      }
    };
    const draw = (event) => {
      if (!from) return;
      const far = Math.hypot(event.clientX - from[0], event.clientY - from[1]) >= DRAG_STARTS;
      if (!drawn && far) {
        corners = [from[2]];
        drawn = overlay.appendChild(svg("polygon", { class: "lasso" }));
        overlay.setPointerCapture(event.pointerId);
      }
      if (drawn) {
        corners.push(place(event));
        drawn.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
      }
    };
    overlay.addEventListener("pointermove", draw);
    overlay.onpointerup = overlay.onpointercancel = (event) => {
      if (drawn) {
        drawn.remove();
        enclosed(corners, event);
      }
      from = drawn = corners = null;
    };
  };

  /** Take all marks that were enclosed. */
  const takeAll = (corners, event) => {
    const caught = marks.flatMap(({ col, row }, index) => (inside([col + 0.5, row + 0.5], corners) ? [index] : []));
    if (letsGo) view.row = view.col = null; // it is told how many were caught, not where the drag ended
    if (event.type === "pointerup" && (caught.length || (letsGo && selected.length))) {
      pick(caught, event.shiftKey, true);
    }
  };

  /** Report a region that was drawn. */
  const report = (corners, event) => {
    if (event.type === "pointerup") setTriggerValue("draw", { corners, add: event.shiftKey });
  };

  /** Where pixels may change: outlined, and what lies beside it in shade. */
  const drawRegion = () => {
    const beside = `M0 0H${width}V${height}H0Z${data.region}`;
    const layer = svg(
      "svg",
      { class: "regions", "aria-hidden": true },
      svg("path", { class: "beside", d: beside, "fill-rule": "evenodd" }),
      svg("path", { class: "region halo", d: data.region }),
      svg("path", { class: "region", d: data.region }),
    );
    overlays.push(layer);
    return layer;
  };

  const drawPane = (pane) => {
    const cursor = svg("rect", { class: "cursor", width: 1, height: 1, style: "visibility: hidden" });
    cursors.push(cursor);
    const overlay = svg("svg", { viewBox: `0 0 ${width} ${height}` });
    overlays.push(overlay);
    const place = (event) => {
      const box = overlay.getBoundingClientRect();
      return [
        view.x + ((width / view.zoom) * (event.clientX - box.left)) / box.width,
        view.y + ((height / view.zoom) * (event.clientY - box.top)) / box.height,
      ];
    };
    if (pane.marked) {
      overlay.append(...drawGone(), ...marks.map(drawMark));
      overlay.setAttribute("tabindex", 0);
      overlay.setAttribute("role", "group");
      const enter = data.toggles ? "takes a change back or brings it on again" : "takes a mark, Escape lets go";
      const picking = data.picks ? `, Enter ${enter}` : "";
      overlay.setAttribute("aria-label", `${pane.title}: arrow keys move${picking}, + and - zoom`);
      overlay.onkeydown = onKey;
      if (data.picks) lasso(overlay, place, false, takeAll);
    }
    if (pane.draws) {
      overlay.classList.add("draws");
      lasso(overlay, place, true, report);
    }
    overlay.append(cursor);
    if (!pane.draws) pan(overlay);
    const follow = (event) => {
      const [col, row] = place(event).map(Math.floor);
      if (col >= 0 && row >= 0 && col < width && row < height) {
        [view.row, view.col] = [row, col];
        point(row, col);
      }
    };
    for (const moment of ["pointerdown", "pointermove"]) overlay.addEventListener(moment, follow); // a tap never moves
    overlay.onpointerenter = (event) => {
      // The page may have moved under a pointer that rests; how many are selected is told until it moves itself.
      if (view.row === null && !(letsGo && selected.length)) follow(event);
    };
    overlay.onpointerleave = (event) => {
      if (event.pointerType === "touch") return; // a lifted finger has pointed
      view.row = view.col = null;
      rest();
    };
    const onWheel = (event) => {
      if (!event.ctrlKey) return; // the wheel alone scrolls the page
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1 : -1, ...place(event));
    };
    overlay.addEventListener("wheel", onWheel, { passive: false });

    const image = html("img", { alt: pane.alt, src: data.images[pane.shows], draggable: false });
    images.push(image);

    const style = `aspect-ratio: ${width} / ${height}`;
    const frame = html("div", { className: "frame", style }, image, ...(data.region ? [drawRegion()] : []), overlay);
    const caption = html("figcaption", {}, html("span", { className: "title", textContent: pane.title }));
    if (pane.marked && marks.length) {
      for (const { kind, count, shape, colour } of data.legend) {
        const symbol = svg("svg", { viewBox: "-1.3 -1.3 2.6 2.6" }, outline(shape, 0, 0, 1, { fill: colour }));
        caption.append(html("span", { className: "legend" }, symbol, `${count} ${kind}`));
      }
    }
    if (pane.text) caption.append(html("span", { className: "text", textContent: pane.text }));
    const kind = [pane.marked && "marked", pane.pale && "pale", pane.shows === "before" && "clean"].filter(Boolean).join(" ");
    return html("figure", { className: `pane ${kind}` }, frame, caption);
  };

  const tool = (text, label, onclick) => html("button", { type: "button", textContent: text, title: label, onclick });
  parentElement
    .querySelector(".tools")
    .replaceChildren(
      tool("−", "Zoom out (-)", () => zoom(-1, ...focus())),
      html("span", { className: "factor" }),
      tool("+", "Zoom in (+), or Ctrl and the wheel; then a finger or the middle button drags", () => zoom(1, ...focus())),
    );
  const panes = parentElement.querySelector(".panes");
  panes.classList.toggle("single", data.panes.length === 1);
  panes.classList.toggle("many", data.panes.length > 3);
  panes.style.setProperty("--panes", Math.max(3, data.panes.length));
  // The keys stay where they were, though everything is drawn anew.
  const reached = () => [...panes.querySelectorAll("[tabindex]")];
  const at = reached().indexOf(parentElement.getRootNode().activeElement);
  const stays = view.row < height && view.col < width && (at >= 0 || panes.matches(":hover"));
  if (!stays) view.row = view.col = null; // whoever has left the pictures wants to read of the selection
  panes.replaceChildren(...data.panes.map(drawPane));
  reached()[at]?.focus({ preventScroll: true });
  // On a phone the pictures lie beside each other, and scroll: by keyboard as well.
  if (panes.scrollWidth > panes.clientWidth) panes.tabIndex = 0;
  else panes.removeAttribute("tabindex");
  look();
  const reel = parentElement.querySelector(".reel");
  if (data.film && !view.film) {
    view.film = new Film(data.film, width, height);
    view.filmed = data.images.after;
  }
  if (filming() && view.filmed !== data.images.after) view.film.end(); // another run is shown
  if (filming()) {
    const told = ({ share, n, fooled, stage, step }) => {
      reel.hidden = false;
      reel.querySelector(".head").style.left = `${100 * share}%`;
      const pixels = `${n.toLocaleString("en")} changed pixel${n === 1 ? "" : "s"}`;
      readout.textContent = `${stage}, step ${step}: ${pixels}, ${fooled ? "fooled" : "not fooled"}`;
    };
    view.film.show(panes, told, () => {
      reel.hidden = true;
      rest();
    });
    panes.addEventListener("pointerdown", () => view.film.end(), { once: true, capture: true });
  }
  rest();
  Promise.all(data.compared.map(readColours)).then((read) => {
    colours = read;
    rest();
  });
}
