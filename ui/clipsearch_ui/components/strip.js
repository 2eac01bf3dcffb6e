// Pictures side by side in one row. Data: {title, tiles: [{id, thumbnail, aspect, label, name, score}]}. Event: open,
// with a picture's id.

function drawn(tile) {
  const picture = element("img", { class: "picture", loading: "lazy", decoding: "async", src: tile.thumbnail, alt: tile.label });
  const title = `${tile.label}\nscore ${tile.score.toFixed(3)}`;
  const open = element("button", { type: "button", title, "aria-label": `Open ${tile.name}`, "data-id": tile.id }, picture);
  open.style.setProperty("--aspect", tile.aspect);
  return open;
}

export default function ({ parentElement, data, setTriggerValue }) {
  let strip = parentElement.querySelector(".strip");
  if (!strip) {
    strip = element("div", { class: "strip" });
    parentElement.append(element("p", { class: "strip-title" }, data.title), strip);
  }
  const shown = data.tiles.map((tile) => tile.thumbnail).join();
  if (strip.dataset.shown !== shown) {
    strip.dataset.shown = shown;
    strip.replaceChildren(...data.tiles.map(drawn));
    strip.scrollLeft = 0;
  }
  strip.onclick = (event) => {
    const open = event.target.closest("button");
    if (open) setTriggerValue("open", Number(open.dataset.id));
  };
}
