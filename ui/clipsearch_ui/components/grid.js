// Pictures in rows of one height. Data: {what: the query they answer, less: whether "less like
// this" makes sense, tiles: [{id, thumbnail, aspect, label, name, score, relevance}]}. Events: open, more, less, each with
// a picture's id.

function about(tile) {
  const known = [tile.label];
  if (tile.score !== null) {
    known.push(`score ${tile.score.toFixed(3)}` + (tile.relevance === null ? "" : `, relevance ${tile.relevance.toFixed(2)}`));
  }
  return known.join("\n");
}

function drawn(tile) {
  const picture = element("img", { class: "picture", loading: "lazy", decoding: "async", src: tile.thumbnail, alt: tile.label });
  const open = element("button", { class: "open", type: "button", "data-does": "open", "aria-label": `Open ${tile.name}` }, picture);
  const more = element("button", { type: "button", "data-does": "more", "aria-label": "More like this" }, "More");
  const less = element("button", { type: "button", "data-does": "less", "aria-label": "Less like this" }, "Less");
  more.append(element("span", { class: "wide" }, " like this"));
  const caption = element("figcaption", { class: "about-picture" }, element("b", {}), element("span", {}));
  return element("figure", { class: "tile", "data-id": tile.id }, open, element("div", { class: "does" }, more, less), caption);
}

function refreshed(figure, tile) {
  figure.style.setProperty("--aspect", tile.aspect);
  figure.title = about(tile);
  figure.querySelector("figcaption b").textContent = tile.score === null ? "" : `${tile.score.toFixed(2)} `;
  figure.querySelector("figcaption span").textContent = tile.name;
  return figure;
}

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true], [role=slider], [role=dialog]");

// The picture in the direction of an arrow: rows are told apart by their tops.
function neighbour(opens, from, key) {
  const at = opens.indexOf(from);
  if (at < 0) return opens[0];
  if (key === "ArrowRight") return opens[at + 1];
  if (key === "ArrowLeft") return opens[at - 1];
  const box = from.getBoundingClientRect();
  const middle = box.left + box.width / 2;
  const beyond = opens
    .map((open) => ({ open, box: open.getBoundingClientRect() }))
    .filter((other) => (key === "ArrowDown" ? other.box.top > box.top + 5 : other.box.top < box.top - 5));
  const tops = beyond.map((other) => other.box.top);
  const row = key === "ArrowDown" ? Math.min(...tops) : Math.max(...tops);
  const off = (other) => Math.abs(other.box.left + other.box.width / 2 - middle);
  return beyond.filter((other) => Math.abs(other.box.top - row) < 5).sort((a, b) => off(a) - off(b))[0]?.open;
}

export default function ({ parentElement, data, setTriggerValue }) {
  let grid = parentElement.querySelector(".grid");
  if (!grid) {
    grid = element("div", { class: "grid" });
    parentElement.append(grid);
  }
  const old = new Map([...grid.children].map((figure) => [figure.dataset.id, figure]));
  grid.replaceChildren(...data.tiles.map((tile) => {
    const kept = old.get(String(tile.id));
    const same = kept?.querySelector("img").getAttribute("src") === tile.thumbnail;
    return refreshed(same ? kept : drawn(tile), tile);
  }));
  grid.dataset.what = data.what;
  grid.classList.toggle("asked", data.less);
  grid.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) setTriggerValue(button.dataset.does, Number(button.closest("figure").dataset.id));
  };
  const onKey = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("[role=dialog]")) return;
    if (event.key === "/") {
      document.querySelector('input[aria-label="Search"]')?.focus();
      event.preventDefault();
    } else if (event.key.startsWith("Arrow")) {
      const next = neighbour([...grid.querySelectorAll(".open")], document.activeElement, event.key);
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
      if (next) event.preventDefault();
    }
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
