const SVG = "http://www.w3.org/2000/svg";
const HINT = "Point at a pixel to compare it in all three pictures; click a mark to follow it below.";

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

export default function ({ data, parentElement, setTriggerValue }) {
  const { width, height, marks, selected } = data;
  const looks = Object.fromEntries(data.legend.map((look) => [look.kind, look]));
  const radius = Math.max(width, height) / Math.min(120, 46 + marks.length / 3); // many marks are smaller
  const colours = { before: null, after: null };
  const cursors = [];

  const describe = (mark) =>
    `row ${mark.row}, column ${mark.col}: ${mark.kind}${mark.weak ? ", weak" : ""}` +
    ` (obscuring ${mark.obscuring.toFixed(2)}, leading ${mark.leading.toFixed(2)} logits)`;

  const pick = (index) => setTriggerValue("pick", { index: index === selected ? null : index });

  const drawMark = (mark, index) => {
    const { shape, colour } = looks[mark.kind];
    const [x, y] = [mark.col + 0.5, mark.row + 0.5];
    const group = svg(
      "g",
      {
        class: index === selected ? "mark selected" : "mark",
        tabindex: 0,
        role: "button",
        "aria-pressed": index === selected,
        "aria-label": describe(mark),
      },
      outline(shape, x, y, radius, { class: "halo" }),
      outline(shape, x, y, radius, {
        class: "shape",
        stroke: colour,
        fill: mark.weak ? "transparent" : colour,
      }),
      outline("circle", x, y, radius * 2, { class: "ring" }),
    );
    group.onclick = () => pick(index);
    group.onkeydown = (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        pick(index);
      }
    };
    return group;
  };

  const readout = parentElement.querySelector(".readout");

  const tell = (row, col) => {
    const at = 4 * (row * width + col);
    const parts = [`Row ${row}, column ${col}: `];
    if (colours.before && colours.after) {
      const [before, after] = [colours.before.slice(at, at + 3), colours.after.slice(at, at + 3)];
      const changed = before.some((value, channel) => value !== after[channel]);
      parts.push(swatch(before), ` rgb ${before.join(", ")}`);
      if (changed) parts.push(" → ", swatch(after), ` rgb ${after.join(", ")}`);
    }
    const mark = marks.find((each) => each.row === row && each.col === col);
    if (mark) parts.push(" · " + describe(mark).split(": ")[1]);
    readout.replaceChildren(...parts);
  };

  const rest = () => {
    for (const cursor of cursors) cursor.style.visibility = "hidden";
    if (selected === null || !marks[selected]) {
      readout.textContent = marks.length ? HINT : "";
      return;
    }
    point(marks[selected].row, marks[selected].col);
  };

  const point = (row, col) => {
    for (const cursor of cursors) {
      cursor.setAttribute("x", col);
      cursor.setAttribute("y", row);
      cursor.style.visibility = "visible";
    }
    tell(row, col);
  };

  const readColours = (name, image) => {
    const canvas = html("canvas", { width, height });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    colours[name] = Array.from(context.getImageData(0, 0, width, height).data);
    rest();
  };

  const drawPane = (pane, position) => {
    const cursor = svg("rect", { class: "cursor", width: 1, height: 1, style: "visibility: hidden" });
    cursors.push(cursor);
    const overlay = svg("svg", { viewBox: `0 0 ${width} ${height}` });
    if (position === 2) overlay.append(...marks.map(drawMark));
    overlay.append(cursor);
    overlay.onpointermove = (event) => {
      const box = overlay.getBoundingClientRect();
      const col = Math.floor((width * (event.clientX - box.left)) / box.width);
      const row = Math.floor((height * (event.clientY - box.top)) / box.height);
      if (col >= 0 && row >= 0 && col < width && row < height) point(row, col);
    };
    overlay.onpointerleave = rest;

    const image = html("img", { alt: pane.alt, src: pane.src });
    if (position < 2) image.decode().then(() => readColours(["before", "after"][position], image), () => {});

    const frame = html("div", { className: "frame", style: `aspect-ratio: ${width} / ${height}` }, image, overlay);
    const caption = html("figcaption", {}, html("span", { className: "title", textContent: pane.title }));
    if (position === 2) {
      for (const { kind, count, shape, colour } of data.legend) {
        const symbol = svg("svg", { viewBox: "-1.3 -1.3 2.6 2.6" }, outline(shape, 0, 0, 1, { fill: colour }));
        caption.append(html("span", { className: "legend" }, symbol, `${count} ${kind}`));
      }
    } else {
      caption.append(html("span", { textContent: pane.text }));
    }
    return html("figure", { className: position === 2 ? "pane marked" : "pane" }, frame, caption);
  };

  parentElement.querySelector(".panes").replaceChildren(...data.panes.map(drawPane));
  rest();
}
