// What can be done with a picture's file. Data: {path, original: where it is served, empty where it is gone, folder:
// whether its folder can be shown}. Event: folder.

// Browsers keep the clipboard from pages of plain HTTP, this machine's own excepted; the old way still works there.
async function copied(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element("textarea", { class: "to-copy" });
    field.value = text;
    near.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  parentElement.querySelector(".file")?.remove();
  const copy = element("button", { type: "button" }, "Copy path");
  const folder = element("button", { type: "button" }, "Open folder");
  const download = element("a", { href: data.original, download: "" }, "Download");
  const said = element("p", { role: "status" });
  const possible = [copy, ...(data.folder ? [folder] : []), ...(data.original ? [download] : [])];
  const file = element("div", { class: "file" }, ...possible, said);
  parentElement.append(file);
  copy.onclick = async () => {
    const done = await copied(data.path, file);
    said.textContent = done ? "Copied" : `Your browser does not let the page copy: ${data.path}`;
    if (done) setTimeout(() => { said.textContent = ""; }, 2000);
  };
  folder.onclick = () => setTriggerValue("folder", true);
}
