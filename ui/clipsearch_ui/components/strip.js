// Pictures side by side in one row. Data: {title, tiles: [{id, thumbnail, aspect, label, name, score}]}. Event: open,
// with a picture's id.

function drawn(tile) {
  const picture = document.createElement("img");
  Object.assign(picture, { className: "picture", loading: "lazy", decoding: "async", src: tile.thumbnail, alt: tile.label });
  const open = document.createElement("button");
  Object.assign(open, { type: "button", title: `${tile.label}\nscore ${tile.score.toFixed(3)}` });
  open.setAttribute("aria-label", `Open ${tile.name}`);
  open.style.setProperty("--aspect", tile.aspect);
  open.dataset.id = tile.id;
  open.append(picture);
  return open;
}

export default function ({ parentElement, data, setTriggerValue }) {
  let strip = parentElement.querySelector(".strip");
  if (!strip) {
    const title = document.createElement("p");
    Object.assign(title, { className: "strip-title", textContent: data.title });
    strip = document.createElement("div");
    strip.className = "strip";
    parentElement.append(title, strip);
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
