// What can be done with a picture's file. Data: {path, original: where it is served, empty where it is gone, folder:
// whether its folder can be shown}. Event: folder.

function button(name) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: name });
  return made;
}

// Browsers keep the clipboard from pages of plain HTTP, this machine's own excepted; the old way still works there.
async function copied(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "to-copy";
    near.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  parentElement.querySelector(".file")?.remove();
  const [copy, folder] = [button("Copy path"), button("Open folder")];
  const download = document.createElement("a");
  Object.assign(download, { href: data.original, textContent: "Download" });
  download.setAttribute("download", "");
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  const file = document.createElement("div");
  file.className = "file";
  file.append(copy, ...(data.folder ? [folder] : []), ...(data.original ? [download] : []), said);
  parentElement.append(file);
  copy.onclick = async () => {
    const done = await copied(data.path, file);
    said.textContent = done ? "Copied" : `Your browser does not let the page copy: ${data.path}`;
    if (done) setTimeout(() => { said.textContent = ""; }, 2000);
  };
  folder.onclick = () => setTriggerValue("folder", true);
}
