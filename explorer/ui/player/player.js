const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export default function ({ data, parentElement }) {
  const { width, height } = data;
  const find = (name) => parentElement.querySelector(`.${name}`);
  const [root, play, scrub, speed, told] = ["player", "play", "scrub", "speed", "told"].map(find);
  const frames = data.frames.map((frame) => ({
    ...frame,
    where: new Int32Array(bytes(frame.where).buffer),
    colours: bytes(frame.colours),
  }));
  const screens = ["picture", "changes"].map((name) => {
    const canvas = Object.assign(find(name), { width, height });
    return canvas.getContext("2d", { willReadFrequently: true });
  });
  let clean = null;
  let timer = null;

  const draw = () => {
    if (!clean) return;
    const number = Number(scrub.value);
    const { stage, step, margin, where, colours } = frames[number];
    const [picture, changes] = [new ImageData(clean.data.slice(), width, height), new ImageData(width, height)];
    const [now, before] = [new Set(where), new Set(number ? frames[number - 1].where : [])];
    where.forEach((pixel, i) => {
      const colour = [...colours.subarray(3 * i, 3 * i + 3), 255];
      picture.data.set(colour, 4 * pixel);
      changes.data.set(before.has(pixel) ? colour : [255, 255, 255, 255], 4 * pixel);
    });
    for (const pixel of before) if (!now.has(pixel)) changes.data.set([215, 60, 60, 150], 4 * pixel);
    screens[0].putImageData(picture, 0, 0);
    screens[1].putImageData(changes, 0, 0);
    const state = margin < 0 ? "fooled" : "not fooled";
    told.textContent =
      `Frame ${number} of ${frames.length - 1}, step ${step}, ${stage}: ` +
      `${where.length.toLocaleString("en")} changed pixels, margin ${margin.toFixed(2)} logits (${state})`;
    root.dataset.frame = number;
    for (const { canvas } of screens) canvas.setAttribute("aria-label", `${canvas.title}. ${told.textContent}`);
  };

  const pause = () => {
    clearTimeout(timer);
    timer = null;
    play.textContent = "▶ Play";
  };

  const tick = () => {
    if (!root.isConnected || Number(scrub.value) >= frames.length - 1) return pause();
    scrub.value = Number(scrub.value) + 1;
    draw();
    timer = setTimeout(tick, Number(speed.value));
  };

  const toggle = () => {
    if (timer) return pause();
    if (Number(scrub.value) >= frames.length - 1) scrub.value = 0;
    play.textContent = "❚❚ Pause";
    draw();
    timer = setTimeout(tick, Number(speed.value));
  };

  scrub.max = frames.length - 1;
  scrub.value = frames.length - 1;
  scrub.oninput = () => {
    pause();
    draw();
  };
  play.onclick = toggle;
  root.onkeydown = (event) => {
    // What the control itself does with the key; space does nothing to the scrub bar, so there as well it plays.
    const own = event.target === speed || (event.key === " " ? event.target === play : event.target === scrub);
    if (own) return;
    const last = frames.length - 1;
    const at = Number(scrub.value);
    if (event.key === " ") toggle();
    else {
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      pause();
      scrub.value = to;
      draw();
    }
    event.preventDefault();
  };

  const image = Object.assign(new Image(), { src: data.clean });
  image.decode().then(() => {
    screens[0].drawImage(image, 0, 0);
    clean = screens[0].getImageData(0, 0, width, height);
    draw();
  });
  return pause;
}
