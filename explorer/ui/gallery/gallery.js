export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".strip");
  strip.style.setProperty("--rows", data.rows);
  strip.style.justifyContent = data.rows > 1 ? "space-between" : "start";
  const buttons = data.thumbnails.map(({ name, caption, src }) => {
    const image = Object.assign(document.createElement("img"), { src, alt: caption });
    const button = Object.assign(document.createElement("button"), { type: "button", title: caption });
    button.setAttribute("aria-pressed", name === data.chosen);
    button.onclick = () => setTriggerValue("pick", name);
    button.append(image);
    return button;
  });
  const scrolled = strip.scrollLeft;
  strip.replaceChildren(...buttons);
  strip.scrollLeft = scrolled;
}
