// One picture as large as fits, over its thumbnail until it has come; arrows lead through the pictures of the grid, which
// is in the same document and may be drawn later. Data: {id, preview, thumbnail, label, width, height}. Event: step, with
// a picture's id.

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true], [role=slider]");
const shown = () => [...document.querySelectorAll(".grid .tile")];

function button(name, sign) {
  return element("button", { type: "button", class: name, title: `${name} picture`, "aria-label": `${name} picture` }, sign);
}

function frameIn(parent) {
  const frame = element("div", { class: "large" }, element("img", {}), button("Previous", "‹"), button("Next", "›"));
  parent.append(frame);
  return frame;
}

function show(frame, data, loaded) {
  if (frame.dataset.preview === data.preview) return;
  frame.dataset.preview = data.preview;
  frame.style.setProperty("--shape", Math.min(Math.max(data.width / data.height, 0.4), 6));
  frame.style.setProperty("--own-width", `${2 * data.width}px`);
  // A new element: the old one would show the picture before until this one has come.
  const picture = element("img", { alt: data.label });
  picture.style.backgroundImage = `url("${data.thumbnail}")`;
  picture.addEventListener("load", () => {
    picture.style.backgroundImage = "none";
    loaded();
  });
  picture.src = data.preview;
  frame.querySelector("img").replaceWith(picture);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const frame = parentElement.querySelector(".large") ?? frameIn(parentElement);
  const [previous, next] = frame.querySelectorAll("button");
  let id = data.id;
  const beside = (by) => {
    const tiles = shown();
    const at = tiles.findIndex((tile) => tile.dataset.id === String(id));
    return at < 0 ? undefined : tiles[at + by];
  };
  const settle = () => {
    previous.disabled = !beside(-1);
    next.disabled = !beside(1);
    previous.hidden = next.hidden = previous.disabled && next.disabled;
  };
  const step = (by) => {
    const tile = beside(by);
    if (!tile) return;
    id = Number(tile.dataset.id);
    settle();
    // One entry in the browser's history for all steps, so that going back closes the picture.
    const search = location.search.replace(/([?&]picture=)\d+/, `$1${id}`);
    history.replaceState(history.state, "", location.pathname + search);
    setTriggerValue("step", id);
  };
  const fetchBeside = () => {
    for (const tile of [beside(1), beside(-1)]) {
      if (tile) new Image().src = tile.querySelector("img").getAttribute("src").replace("/thumbnails/", "/previews/");
    }
  };
  const onKey = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  };
  let start = null;
  frame.ontouchstart = (event) => { start = event.touches.length === 1 ? event.touches[0] : null; };
  frame.ontouchend = (event) => {
    if (!start) return;
    const end = event.changedTouches[0];
    const across = end.clientX - start.clientX;
    if (Math.abs(across) > 50 && Math.abs(across) > 2 * Math.abs(end.clientY - start.clientY)) step(across < 0 ? 1 : -1);
  };
  previous.onclick = () => step(-1);
  next.onclick = () => step(1);
  show(frame, data, fetchBeside);
  settle();
  const page = new MutationObserver(settle);
  page.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("keydown", onKey);
  return () => {
    page.disconnect();
    document.removeEventListener("keydown", onKey);
  };
}
