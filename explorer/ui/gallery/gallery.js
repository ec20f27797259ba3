export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".strip");
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
  const chosen = buttons.find((button) => button.getAttribute("aria-pressed") === "true");
  if (chosen && !strip.dataset.shown) {
    strip.scrollLeft = chosen.offsetLeft - strip.offsetLeft - strip.clientWidth / 2; // once: then the hand scrolls
    strip.dataset.shown = "yes";
  }
}
