// One picture as large as fits, over its thumbnail until it has come. Data: {id, preview, thumbnail, label, width,
// height, ids: those of the page in their order, ahead: previews that are likely to be wanted next}. Event: step, with a
// picture's id.

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true], [role=slider]");

function button(name, sign) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: name, textContent: sign, title: `${name} picture` });
  made.setAttribute("aria-label", `${name} picture`);
  return made;
}

function frameIn(parent) {
  const frame = document.createElement("div");
  frame.className = "large";
  frame.append(document.createElement("img"), button("Previous", "‹"), button("Next", "›"));
  parent.append(frame);
  return frame;
}

function show(frame, data) {
  if (frame.dataset.preview === data.preview) return;
  frame.dataset.preview = data.preview;
  const shape = Math.min(Math.max(data.width / data.height, 0.4), 4);
  frame.style.setProperty("--shape", shape);
  frame.style.setProperty("--own-width", `${2 * data.width}px`);
  // A new element: the old one would show the picture before until this one has come.
  const picture = document.createElement("img");
  picture.style.backgroundImage = `url("${data.thumbnail}")`;
  picture.alt = data.label;
  picture.addEventListener("load", () => {
    picture.style.backgroundImage = "none";
    for (const next of data.ahead) new Image().src = next;
  });
  picture.src = data.preview;
  frame.querySelector("img").replaceWith(picture);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const frame = parentElement.querySelector(".large") ?? frameIn(parentElement);
  const [previous, next] = frame.querySelectorAll("button");
  let at = data.ids.indexOf(data.id);
  const settle = () => {
    previous.hidden = next.hidden = at < 0 || data.ids.length < 2;
    previous.disabled = at <= 0;
    next.disabled = at + 1 >= data.ids.length;
  };
  const step = (by) => {
    const id = data.ids[at + by];
    if (at < 0 || id === undefined) return;
    at += by;
    settle();
    // One entry in the browser's history for all steps, so that going back closes the picture.
    const search = location.search.replace(/([?&]picture=)\d+/, `$1${id}`);
    history.replaceState(history.state, "", location.pathname + search);
    setTriggerValue("step", id);
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
  show(frame, data);
  settle();
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
