// One level of a tree of folders and the way up. Data: {trail: [{name, path}], folders: [{name, path, pictures}], more: how
// many are left out, narrow: whether to ask for a part of a name, part: the part asked for}. Events: go, with a path ("" for
// no folder); part, with a part of a name.

const TYPING = 300; // milliseconds without a key, after which what was typed counts

function step(folder, last) {
  const button = element("button", { type: "button", title: folder.name, "data-path": folder.path }, folder.name);
  if (last) button.setAttribute("aria-current", "true");
  return button;
}

function row(folder) {
  const name = element("span", { class: "name" }, folder.name);
  const count = element("span", { class: "count" }, folder.pictures.toLocaleString());
  const label = `${folder.name}, ${folder.pictures.toLocaleString()} ${folder.pictures === 1 ? "picture" : "pictures"}`;
  return element("li", {}, element("button", { type: "button", title: folder.name, "aria-label": label, "data-path": folder.path }, name, count));
}

export default function ({ parentElement, data, setTriggerValue }) {
  let folders = parentElement.querySelector(".folders");
  if (!folders) {
    const field = element("input", { type: "search", placeholder: "Part of a folder's name", "aria-label": "Part of a folder's name" });
    folders = element("div", { class: "folders" }, element("nav", { class: "trail", "aria-label": "Folder" }), field, element("ul", {}), element("p", { class: "more" }));
    parentElement.append(folders);
  }
  const [trail, field, list, more] = folders.children;
  trail.replaceChildren(...data.trail.map((folder, place) => step(folder, place === data.trail.length - 1)));
  list.replaceChildren(...data.folders.map(row));
  list.hidden = !data.folders.length;
  more.hidden = !data.more;
  more.textContent = `and ${data.more.toLocaleString()} more`;
  field.hidden = !data.narrow;
  if (document.activeElement !== field) field.value = data.part;

  folders.onclick = (event) => {
    const button = event.target.closest("button");
    if (button && !button.hasAttribute("aria-current")) setTriggerValue("go", button.dataset.path);
  };
  let waiting;
  field.oninput = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => setTriggerValue("part", field.value), TYPING);
  };
}
